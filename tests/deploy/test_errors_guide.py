"""The page on errors: its code runs as printed, against scripted answers."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "call" / "handle-errors.md"
DONE = httpx.Response(200, json={"success": True, "result": {"text": "x"}})

Answer = httpx.Response | Exception
Run = Callable[..., Any]


@pytest.fixture
def run() -> Run:
    """Return the page's function."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Run = names["run"]
    return found


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses, which take no time."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def server(*answers: Answer) -> tuple[httpx.Client, list[httpx.Request]]:
    """Return a client of a server with these answers in order, and its requests."""
    requests: list[httpx.Request] = []
    left: Iterator[Answer] = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        given = next(left)
        if isinstance(given, Exception):
            raise given
        return given

    return httpx.Client(base_url="http://h", transport=httpx.MockTransport(answer)), requests


def refusal(status: int, code: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": "x", "code": code}, headers=headers)


def test_what_may_be_sent_again_is_sent_with_one_key(run: Run, pauses: list[float]) -> None:
    client, requests = server(
        httpx.ReadError("broke off"),
        httpx.Response(502, text="a proxy's page"),
        refusal(503, "UNAVAILABLE", **{"retry-after": "7"}),
        refusal(429, "RATE_LIMIT_EXCEEDED", **{"retry-after": "31"}),
        refusal(409, "IDEMPOTENCY_KEY_IN_USE", **{"retry-after": "1"}),
        DONE,
    )

    answer = run(client, "letter", {"name": "Ada"})

    assert answer["result"] == {"text": "x"}
    assert len({request.headers["idempotency-key"] for request in requests}) == 1
    assert {request.url.path for request in requests} == {"/api/workflows/letter/run"}
    assert pauses[2:] == [7, 31, 1]
    assert 0.5 <= pauses[0] <= 1 <= pauses[1] <= 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_INPUTS"),
        (402, "INSUFFICIENT_CREDITS"),
        (409, "EXECUTION_CANCELLED"),
        (500, "EXECUTION_FAILED"),
    ],
)
def test_what_would_be_answered_the_same_is_not_sent_again(
    run: Run, pauses: list[float], status: int, code: str
) -> None:
    client, requests = server(refusal(status, code))

    with pytest.raises(httpx.HTTPStatusError):
        run(client, "letter", {})

    assert (len(requests), pauses) == (1, [])


def test_it_gives_up_after_so_many_attempts(run: Run, pauses: list[float]) -> None:
    client, requests = server(*[httpx.ConnectError("refused")] * 3)

    with pytest.raises(httpx.HTTPError, match="no answer after 3 attempts"):
        run(client, "letter", {}, attempts=3)

    assert len(requests) == len(pauses) == 3
