from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.support.contract.installation import ALL, Administration, Caller, asking
from tests.support.contract.shapes import anything, assert_fits, moment, number, sentence, uuid

ECHO = {"prompt": "Hello"}
CATEGORIES = ("text", "image", "video", "audio")
UNITS = ("call", "image", "second", "input_second", "input_token", "output_token")
TIERS = ("free", "creator", "pro", "business", "enterprise")
FIELD = {
    "name": str,
    "label": str,
    "type": str,
    "required": bool,
    "default?": anything,
    "options?": list,
    "min?": number,
    "max?": number,
    "step?": number,
    "maxLength?": int,
    "helperText?": str,
}
MODEL = {
    "internalName": str,
    "name": str,
    "category": lambda value: value in CATEGORIES,
    "fields": [FIELD],
    "pricing": [{"unit": lambda value: value in UNITS, "usd": number, "credits": number}],
    "tierRequired": lambda value: value in TIERS,
    "enabled": bool,
    "available": bool,
    "unavailableReason": lambda value: value is None or sentence(value),
    "isDemo": bool,
    "takesTools": bool,
}


def echo_of(answer: httpx2.Response) -> Any:
    """Return the model that every installation has."""
    (found,) = [model for model in answer.json() if model["internalName"] == "echo"]
    return found


def balance(browser: Caller) -> int:
    """Return the account's balance."""
    return int(browser.get("/api/me").json()["credits"]["balance"])


def test_models_are_a_bare_array(caller: Caller) -> None:
    answer = caller.get("/api/models")

    assert answer.status_code == 200
    assert_fits(answer.json(), [MODEL])
    assert echo_of(answer)["enabled"] is True


@pytest.mark.parametrize(("tier", "credits"), [("pro", 13), ("business", 12), ("enterprise", 11)])
def test_prices_in_credits_are_after_the_callers_markup(
    administration: Administration, tier: str, credits: int
) -> None:
    echo = echo_of(administration.caller(tier).get("/api/models"))

    assert echo["pricing"] == [{"unit": "call", "usd": 0.01, "credits": credits}]


@pytest.mark.parametrize("held", ["workflow:read", "model:run", "model:*"])
def test_models_are_listed_for_either_capability(administration: Administration, held: str) -> None:
    assert administration.caller("business", held).get("/api/models").status_code == 200


def test_models_are_not_listed_for_other_capabilities(administration: Administration) -> None:
    caller = administration.caller("business", "workflow:run", "model:echo:run", "webhook:receive")

    answer = caller.get("/api/models")

    assert answer.status_code == 403
    denied = {"error": sentence, "code": "CAPABILITY_DENIED", "required": "workflow:read"}
    assert_fits(answer.json(), denied)


def test_models_are_not_listed_without_a_key(anonymous: httpx2.Client) -> None:
    assert anonymous.get("/api/models").status_code == 401


def test_a_run_of_a_model_answers_as_that_of_a_workflow(caller: Caller) -> None:
    answer = caller.run_model("echo", ECHO)

    assert answer.status_code == 200
    expected = {"success": True, "result": {"text": "Hello"}, "cost": int, "ms": int}
    assert_fits(answer.json(), {**expected, "executionId": uuid})


def test_a_run_of_a_model_costs_what_the_list_says(
    administration: Administration,
) -> None:
    account = administration.account("business")
    caller = administration.with_key(administration.key(account, "model:run"))
    browser = administration.browser(account)
    price = echo_of(caller.get("/api/models"))["pricing"][0]["credits"]
    before = balance(browser)

    ran = caller.run_model("echo", ECHO).json()

    assert ran["cost"] == price
    assert balance(browser) == before - price


def test_an_async_run_of_a_model_is_polled(caller: Caller) -> None:
    accepted = caller.run_model("echo", ECHO, "?async=true")
    execution = caller.ended(accepted.json()["executionId"])

    assert accepted.status_code == 202
    assert accepted.json()["pollUrl"] == f"/api/executions/{execution['executionId']}"
    assert (execution["status"], execution["result"]) == ("completed", {"text": "Hello"})


def test_the_execution_of_a_model_has_its_nodes_and_no_workflow(caller: Caller) -> None:
    ran = caller.run_model("echo", ECHO).json()

    execution = caller.execution(ran["executionId"])

    assert execution["workflowSlug"] is None
    assert (execution["modelIds"], execution["source"]) == (["echo"], "api-slim")
    assert execution["creditsCost"] == ran["cost"]
    charged = {node["type"]: node["creditsCost"] for node in execution["nodes"]}
    assert charged == {"requestInput": 0, "customModel": ran["cost"], "responseOutput": 0}


def test_a_session_runs_models_as_the_app(browser: Caller) -> None:
    ran = browser.run_model("echo", ECHO).json()

    assert browser.execution(ran["executionId"])["source"] == "app"


def test_a_free_account_runs_models_in_its_browser(administration: Administration) -> None:
    answer = administration.browser(administration.account("free")).run_model("echo", ECHO)

    assert (answer.status_code, answer.json()["result"]) == (200, {"text": "Hello"})


@pytest.mark.parametrize("query", ["", "?async=true"])
def test_an_unknown_model_is_not_found(caller: Caller, query: str) -> None:
    answer = caller.run_model("no-such-model", ECHO, query)

    assert answer.status_code == 404
    assert_fits(answer.json(), {"error": sentence, "code": "MODEL_NOT_FOUND"})


@pytest.mark.parametrize(
    ("inputs", "field"), [({}, "prompt"), ({"prompt": 1}, "prompt"), ({"prompt": None}, "prompt")]
)
def test_inputs_are_checked_against_the_fields_of_the_model(
    caller: Caller, inputs: Any, field: str
) -> None:
    answer = caller.run_model("echo", inputs)

    assert answer.status_code == 400
    refused = {"error": sentence, "code": "INVALID_INPUTS", "field": field, "reason": sentence}
    assert_fits(answer.json(), refused)


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"prompt": "x", "jsonSchema": "notjson"}, "jsonSchema"),
        ({"prompt": "x", "jsonSchema": {"type": "zork"}}, "jsonSchema"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
    ],
)
def test_what_no_model_can_be_asked_is_refused_and_not_charged(
    caller: Caller, inputs: Any, field: str
) -> None:
    answer = caller.run_model("claude-haiku", inputs)

    assert answer.status_code == 400
    refused = {"error": sentence, "code": "INVALID_INPUTS", "field": field, "reason": sentence}
    assert_fits(answer.json(), refused)


def test_inputs_must_be_an_object(caller: Caller) -> None:
    answer = caller.post("/api/models/echo/run", {"prompt": "Hello"})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")


def test_a_key_for_one_model_runs_that_one_alone(administration: Administration) -> None:
    caller = administration.caller("business", "model:echo:run")
    other = administration.caller("business", "model:other:run")

    allowed, denied = caller.run_model("echo", ECHO), other.run_model("echo", ECHO)

    assert allowed.status_code == 200
    assert (denied.status_code, denied.json()["required"]) == (403, "model:run")


def test_runs_of_models_have_a_bucket_of_their_own(administration: Administration) -> None:
    caller = administration.caller("business", *ALL, "model:*")

    of_model = caller.run_model("echo", ECHO)
    of_workflow = caller.run("no-such")

    for answer in (of_model, of_workflow):
        assert answer.headers["x-ratelimit-remaining"] == "999"


def test_a_run_of_a_model_is_repeated_by_its_idempotency_key_and_charged_once(
    administration: Administration,
) -> None:
    account = administration.account("business")
    caller = administration.with_key(administration.key(account, "model:run"))
    before = balance(administration.browser(account))
    headers = {"idempotency-key": str(uuid4())}

    first, again = [caller.run_model("echo", ECHO, headers=headers) for _ in range(2)]

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert balance(administration.browser(account)) == before - first.json()["cost"]


def test_an_estimate_above_max_credits_is_refused_at_once(administration: Administration) -> None:
    caller = administration.caller("business", *ALL, "model:*")
    slug = caller.save(asking("echo", 2))

    model = caller.run_model("echo", ECHO, "?max_credits=11")
    graph = caller.run(slug, ECHO, "?max_credits=23")
    allowed = caller.run(slug, ECHO, "?max_credits=24")

    for answer in (model, graph):
        assert (answer.status_code, answer.json()["code"]) == (402, "MAX_CREDITS_EXCEEDED")
    assert (allowed.status_code, allowed.json()["cost"]) == (200, 24)
    assert len(caller.get("/api/executions").json()["rows"]) == 1


@pytest.mark.parametrize("value", ["-1", "1.5", "", "x", str(2**53), "1&max_credits=2"])
def test_max_credits_is_a_whole_number(caller: Caller, value: str) -> None:
    answer = caller.run_model("echo", ECHO, f"?max_credits={value}")

    assert answer.status_code == 400
    refused = {"error": sentence, "code": "INVALID_QUERY", "field": "max_credits"}
    assert_fits(answer.json(), refused)


def test_a_balance_that_cannot_cover_a_run_is_told(administration: Administration) -> None:
    account = administration.account("enterprise")
    administration.top_up(account, "enterprise", 10)
    caller = administration.with_key(administration.key(account, "model:run"))

    answer = caller.run_model("echo", ECHO)

    assert answer.status_code == 402
    poor = {"code": "INSUFFICIENT_CREDITS", "required": 11, "balance": 10}
    assert_fits(answer.json(), {"error": sentence, **poor})


def test_a_workflow_names_the_models_in_it_and_adds_up_its_nodes(
    administration: Administration,
) -> None:
    caller = administration.caller("business", *ALL)
    slug = caller.save(asking("echo", 3))

    ran = caller.run(slug, ECHO).json()

    execution = caller.execution(ran["executionId"])
    assert (ran["result"], ran["cost"]) == ({"text": "Hello"}, 36)
    assert (execution["workflowSlug"], execution["modelIds"]) == (slug, ["echo"])
    assert execution["creditsCost"] == sum(node["creditsCost"] for node in execution["nodes"])


def test_estimates_stand_in_lists_and_schemas_after_the_markup(
    administration: Administration,
) -> None:
    caller = administration.caller("business", *ALL)
    other = administration.caller("pro", *ALL)
    slug = caller.save({**asking("echo", 2), "publicPlayground": True, "isTemplate": True})

    rows = {row["slug"]: row for row in caller.get("/api/workflows").json()}
    foreign = {row["slug"]: row for row in other.get("/api/workflows").json()}
    schema = caller.get(f"/api/workflows/{slug}/schema").json()
    public = caller.get(f"/api/workflows/{slug}/public-schema").json()

    assert rows[slug]["estimatedCreditCost"] == schema["estimatedCreditCost"] == 24
    assert public["estimatedCreditCost"] == 24
    assert foreign[slug]["estimatedCreditCost"] == 26
    caller.clean()


def test_me_shows_what_the_account_has_to_spend(administration: Administration) -> None:
    account = administration.account("pro")
    administration.top_up(account, "pro", 700)

    shown = administration.browser(account).get("/api/me").json()

    bought = {"credits": 700, "expiresAt": None}
    credits = {"balance": 5_700, "allowance": 5_000, "topUps": [bought], "refreshedAt": moment}
    assert_fits(shown, {"user": dict, "credits": credits, "limits": dict, "ceiling": list})
