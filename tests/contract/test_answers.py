import httpx2
import pytest

from tests.support.contract.installation import Caller
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import greeting

LEAKS = ("Traceback", "/site-packages/", ".py", "{hr", "hr_live_", "redis")


@pytest.mark.parametrize(
    "path",
    ["/api/whoami", "/api/workflows", "/api/workflows/no-such", "/nowhere", "/api/me", "/healthz"],
)
def test_every_answer_carries_a_request_id(
    caller: Caller, anonymous: httpx2.Client, path: str
) -> None:
    for answer in (caller.get(path), anonymous.get(path), anonymous.request("PATCH", path)):
        assert answer.headers["x-request-id"]


def test_a_request_id_that_the_caller_brought_comes_back(caller: Caller) -> None:
    answer = caller.get("/api/whoami", headers={"x-request-id": "mine-1"})

    assert answer.headers["x-request-id"] == "mine-1"


def test_answers_are_json_in_utf_8(caller: Caller) -> None:
    slug = caller.save(greeting("Grüße"))

    answer = caller.run(slug, {"name": "Zoë 🌊"})

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["result"] == {"text": "Hello Zoë 🌊"}
    assert "Zoë 🌊".encode() in answer.content


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "NOT_FOUND"),
        ("GET", "/v1/api/whoami", None, 404, "NOT_FOUND"),
        ("PATCH", "/api/workflows", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/workflows/no-such", None, 404, "WORKFLOW_NOT_FOUND"),
        ("GET", "/api/workflows/No_Such", None, 400, "INVALID_SLUG"),
        ("GET", "/api/executions/0", None, 404, "EXECUTION_NOT_FOUND"),
        ("POST", "/api/workflows", b"{", 400, "INVALID_BODY"),
        ("POST", "/api/workflows", b"\xff\xfe", 400, "INVALID_BODY"),
    ],
)
def test_every_error_is_a_sentence_and_a_code_without_anything_from_inside(
    caller: Caller, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {"content-type": "application/json"} if body else {}
    answer = caller.request(method, path, content=body, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert_fits(answer.json(), {"error": sentence, "code": code})
    assert not [leak for leak in LEAKS if leak in answer.text]


def test_a_method_that_a_path_does_not_take_is_told_which_it_takes(caller: Caller) -> None:
    answer = caller.request("PATCH", "/api/workflows")

    assert answer.headers["allow"] == "GET, HEAD, POST"
