import os
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import BARE, RunningStack, running
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import broken, greeting

JSON = {"content-type": "application/json"}
DEEP = b'{"inputs":' + b'{"a":' * 64 + b"1" + b"}" * 65


def refused(answer: httpx2.Response, status: int, code: str, **context: Any) -> None:
    assert answer.status_code == status
    assert_fits(answer.json(), {"error": sentence, "code": code, **context})


@pytest.mark.A53
@pytest.mark.parametrize("path", ["/api/workflows", "/api/workflows/contract/run"])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"{} {}", JSON),
        (b"{'a': 1}", JSON),
        (b'{"name": NaN}', JSON),
        (b'{"name": "\xff"}', JSON),
        (b'{"name": "\\ud800"}', JSON),
        (b'{"name": 1e400}', JSON),
        (b"\xef\xbb\xbf{}", JSON),
        (b'{"name": 18446744073709551616}', JSON),
        (b'{"name": -9223372036854775809}', JSON),
        (b'{"name": ' + b"9" * 4_000 + b"}", JSON),
        (b"[" * 100_000, JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b'"text"', JSON),
        (DEEP, JSON),
        (b"{}", {}),
        (b"{}", {"content-type": "text/plain"}),
        (b"{}", {"content-type": "application/x-www-form-urlencoded"}),
        (b"{}", {"content-type": "multipart/form-data; boundary=a"}),
        (b"{}", {"content-type": "application/json; charset=utf-16"}),
        (b"{}", {"content-type": "application/json, text/plain"}),
        (b"{}", {"content-type": "application/jsonx"}),
        (b"{}", {**JSON, "content-encoding": "gzip"}),
        (b"{}", {**JSON, "content-encoding": "br"}),
        (b"{}", {**JSON, "content-encoding": "deflate, gzip"}),
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(
    caller: Caller, path: str, body: bytes, headers: dict[str, str]
) -> None:
    answer = caller.request("POST", path, content=body, headers=headers)

    refused(answer, 400, "INVALID_BODY", **{"field?": str})


@pytest.mark.A53
@pytest.mark.parametrize(
    "kind",
    ["Application/JSON", "application/json; charset=UTF-8", 'application/json; charset="UTF-8"'],
)
def test_a_json_body_is_taken(caller: Caller, kind: str) -> None:
    body = b'{"inputs": {"name": "Eve"}}'
    path = f"/api/workflows/{caller.save(greeting())}/run"

    answer = caller.request("POST", path, content=body, headers={"content-type": kind})

    assert answer.status_code == 200


def test_a_body_over_the_limit_is_refused(caller: Caller, stack: RunningStack) -> None:
    answer = caller.create(greeting(description="x" * 1_100_000))

    refused(answer, 413, "BODY_TOO_LARGE", **{"limit?": int})


def test_a_body_over_the_limit_is_refused_in_pieces_too(
    caller: Caller, stack: RunningStack
) -> None:
    pieces = (b" " * 65_536 for _ in range(20))

    answer = caller.client.post("/api/workflows", content=pieces, headers=JSON)

    refused(answer, 413, "BODY_TOO_LARGE", **{"limit?": int})


def test_an_invalid_graph_has_its_code(caller: Caller) -> None:
    refused(caller.create(broken()), 400, "INVALID_GRAPH", problems=[dict])


def test_a_path_that_is_nowhere_has_its_code(caller: Caller) -> None:
    for path in ("/api", "/api/", "/api/nothing", "/api/workflows/", "/api//workflows"):
        refused(caller.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/workflows"),
        ("GET", "/api/workflows/contract/run"),
        ("POST", "/api/executions"),
        ("PUT", "/api/whoami"),
        ("POST", "/healthz"),
    ],
)
def test_a_method_that_a_path_does_not_take_has_its_code(
    caller: Caller, method: str, path: str
) -> None:
    answer = caller.client.request(method, path)

    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"]


def test_the_method_is_the_one_that_was_sent(caller: Caller) -> None:
    slug = caller.save(greeting())
    headers = {"x-http-method-override": "DELETE", "x-method-override": "DELETE"}

    caller.post(f"/api/workflows/{slug}/run?_method=DELETE", {"inputs": {}}, headers=headers)
    head = caller.client.head(f"/api/workflows/{slug}/run")

    assert head.status_code == 405
    assert caller.get(f"/api/workflows/{slug}").status_code == 200
    assert caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"] == []


def test_without_redis_every_answer_says_when_to_come_again(
    stack: RunningStack, tmp_path: Path
) -> None:
    with running(tmp_path, *BARE) as other:
        here = Administration(other)
        caller = here.caller("pro")
        caller.get("/api/whoami")
        (redis,) = other.part("redis")
        os.kill(redis, signal.SIGSTOP)
        answers = [
            caller.get("/api/workflows"),
            caller.client.post("/api/workflows/contract/run", json={"inputs": {}}),
        ]
        os.kill(redis, signal.SIGCONT)
        here.close()

    for answer in answers:
        refused(answer, 503, "UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
