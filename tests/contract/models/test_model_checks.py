"""Models for admins: checks without a save, tries of one call, and manifests of all models."""

from typing import Any

import pytest

from engine.models.availability import NO_WORKER
from tests.contract.conftest import CHAT
from tests.contract.models.test_models import MODEL
from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence, uuid
from tests.support.http.providers import MODEL_KEYS
from tests.support.manifests import manifest

ROUTES = {
    "POST /api/models/check": "session of an admin",
    "POST /api/models/{internal_name}/try": "session of an admin",
    "GET /api/models/{internal_name}/manifest": "session of an admin",
}
"""The requirement of each route on its caller, as reviewed."""

CHECK = "/api/models/check"
CALLS = [
    ("POST", CHECK, {"manifest": manifest()}),
    ("POST", "/api/models/echo/try", {"inputs": {"prompt": "Hello"}}),
    ("GET", "/api/models/echo/manifest", None),
]
FAILURE = {"code": str, "message": str, "retryable": bool}
TRIED = {
    "success": bool,
    "result": dict,
    "error": None,
    "cost": int,
    "ms": int,
    "executionId": uuid,
    "request": None,
}


def attempt(admin: Caller, name: str, prompt: str) -> Any:
    """Try a model, again while no worker has reported since the start or on a busy machine."""

    def once() -> Any:
        answer = admin.post(f"/api/models/{name}/try", {"inputs": {"prompt": prompt}})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return until(once, lambda tried: (tried["error"] or {}).get("message") != NO_WORKER)


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_only_an_admin_in_a_browser_may(
    administration: Administration, browser: Caller, method: str, path: str, body: Any
) -> None:
    account = administration.account("business", role="admin")
    with_key = administration.with_key(administration.key(account, "*"))

    answers = [each.request(method, path, json=body) for each in (with_key, browser)]

    assert [each.status_code for each in answers] == [403, 403]
    assert [each.json()["code"] for each in answers] == ["SESSION_REQUIRED", "CAPABILITY_DENIED"]


def test_a_right_manifest_is_shown_as_the_list_would_and_not_saved(admin: Caller) -> None:
    answer = admin.post(CHECK, {"manifest": manifest("contract-unsaved")})

    assert answer.status_code == 200
    assert_fits(answer.json(), {"problems": [], "model": MODEL})
    assert answer.json()["model"]["internalName"] == "contract-unsaved"
    assert admin.get("/api/models/contract-unsaved/manifest").status_code == 404


def test_a_wrong_manifest_has_all_its_problems_by_line(admin: Caller) -> None:
    text = manifest(tier="rich", category="smell")
    lines = {line.partition(" ")[0]: number for number, line in enumerate(text.split("\n"), 1)}

    shown = admin.post(CHECK, {"manifest": text}).json()

    problem = {"line?": int, "path?": str, "reason": str}
    assert_fits(shown, {"problems": [problem], "model": None})
    assert {"tier", "category"} <= {each.get("path") for each in shown["problems"]}
    by_line = {each["line"]: each["reason"] for each in shown["problems"] if "line" in each}
    assert by_line[lines["tier"]].startswith("tier must be one of ")
    assert by_line[lines["category"]].startswith("category must be one of ")


def test_a_text_that_is_not_toml_has_one_problem(admin: Caller) -> None:
    shown = admin.post(CHECK, {"manifest": 'name = "A"\ntier = \n'}).json()

    (problem,) = shown["problems"]
    assert (problem["line"], shown["model"]) == (2, None)
    assert problem["reason"].startswith("this is not TOML")


def test_a_check_knows_the_rules_of_a_save(admin: Caller) -> None:
    keyed = '[openai]\nbase_url = "https://nobody.invalid"\napi_key_env = "A_KEY"\nmodel = "m"\n'
    text = manifest(call=keyed)

    checked = admin.post(CHECK, {"manifest": text}).json()["problems"]
    saved = admin.post("/api/models", {"manifest": text})

    assert (saved.status_code, saved.json()["problems"]) == (400, checked)


def test_a_check_needs_a_text(admin: Caller) -> None:
    answer = admin.post(CHECK, {"manifest": 1})

    assert answer.status_code == 400
    refused = {"error": sentence, "code": "INVALID_BODY", "field": "manifest"}
    assert_fits(answer.json(), refused)


def test_a_try_answers_with_result_cost_and_time(admin: Caller) -> None:
    tried = attempt(admin, "contract-chat", "Hello")

    assert_fits(tried, TRIED)
    assert tried["result"]["text"].startswith("(stub) ")
    assert tried["cost"] == admin.execution(tried["executionId"])["creditsCost"] > 0


def test_a_try_of_http_shows_the_request_without_its_key(admin: Caller) -> None:
    tried = attempt(admin, "contract-painter", "A kettle")

    sent = tried["request"]
    assert_fits(sent, {"method": "POST", "url": str, "headers": dict, "body": dict})
    assert "A kettle" in str(sent["body"])
    assert not any(value in str(sent) for value in MODEL_KEYS.values())


@pytest.mark.parametrize(
    ("script", "code", "message", "retryable"),
    [
        ("fail=401", "PROVIDER_REJECTED", "(stub) Status 401, as asked.", False),
        ("fail=503", "PROVIDER_UNAVAILABLE", "(stub) Status 503, as asked.", True),
    ],
)
def test_a_try_that_fails_has_the_providers_own_words(
    admin: Caller, script: str, code: str, message: str, retryable: bool
) -> None:
    tried = attempt(admin, "contract-chat", f"Hello [[stub {script}]]")

    assert (tried["success"], tried["result"], tried["cost"]) == (False, None, 0)
    assert tried["error"] == {"code": code, "message": message, "retryable": retryable}


def test_a_try_of_a_model_without_its_key_names_the_variable(admin: Caller) -> None:
    tried = attempt(admin, "claude-haiku", "Hello")

    assert (tried["success"], tried["executionId"]) == (False, None)
    assert_fits(tried["error"], FAILURE)
    assert "ANTHROPIC_API_KEY" in tried["error"]["message"]


def test_a_try_checks_its_inputs_as_a_run_does(admin: Caller) -> None:
    answer = admin.post("/api/models/echo/try", {"inputs": {}})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUTS")
    assert answer.json()["field"] == "prompt"


def test_the_manifest_of_each_origin_is_read(admin: Caller) -> None:
    text = manifest("contract-text")
    admin.post("/api/models", {"manifest": text})

    shown = {
        name: admin.get(f"/api/models/{name}/manifest").json()
        for name in ("echo", "contract-chat", "contract-text")
    }
    admin.delete("/api/models/contract-text")

    assert {name: (each["origin"], each["version"]) for name, each in shown.items()} == {
        "echo": ("shipped", None),
        "contract-chat": ("folder", None),
        "contract-text": ("saved", 1),
    }
    assert 'internalName = "echo"' in shown["echo"]["manifest"]
    assert shown["contract-chat"]["manifest"] == CHAT
    assert shown["contract-text"]["manifest"] == text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_no_model_is_called_is_not_found(admin: Caller, method: str) -> None:
    path = {"GET": "manifest", "POST": "try"}[method]

    answer = admin.request(method, f"/api/models/no-such/{path}", json={"inputs": {}})

    assert answer.status_code == 404
    assert_fits(answer.json(), {"error": sentence, "code": "MODEL_NOT_FOUND"})


def test_a_model_may_be_called_check(admin: Caller) -> None:
    saved = admin.post("/api/models", {"manifest": manifest("check")})
    read = admin.get(CHECK)
    deleted = admin.delete(CHECK)

    assert [each.status_code for each in (saved, read, deleted)] == [201, 200, 200]
