"""Callers of a stack that make one run after another, and the time of each run."""

import json
import statistics
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from deploy.net.http_client import call
from tests.support.acceptance.running_stack import RunningStack
from tests.support.factories import greeting

RUN = "/api/workflows/{}/run"


def make_caller(stack: RunningStack, name: str) -> tuple[str, str]:
    """Create an account without limits; return it with a key."""
    email = f"{name}@localhost"
    made = stack.command("account", "create", "--email", email, "--tier", "enterprise", "--json")
    account = str(json.loads(made.stdout)["id"])
    key = stack.command("key", "create", "--account", account, "--preset", "Full deploy", "--json")
    return account, str(json.loads(key.stdout)["key"])


def save(stack: RunningStack, key: str, name: str, body: dict[str, Any] | None = None) -> str:
    """Save a document, by default a greeting; return its slug."""
    document = (body or greeting().body()) | {"name": name}
    status, answer = call("POST", stack.url + "/api/workflows", key=key, body=document)
    assert status == 201, answer
    return str(answer["slug"])


class Caller:
    """Makes one run after another and waits for each."""

    def __init__(self, stack: RunningStack, slug: str, key: str) -> None:
        self._connection = HTTPConnection(urlsplit(stack.url).netloc)
        self._path = RUN.format(slug)
        self._headers = {"x-api-key": key, "content-type": "application/json"}

    def close(self) -> None:
        self._connection.close()

    def time_run(self) -> float:
        """Make a run; return the seconds it took."""
        began = time.perf_counter()
        body = json.dumps({"inputs": {"who": "Ada"}})
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        assert (answer.status, b"Hello Ada" in answer.read()) == (200, True)
        return time.perf_counter() - began

    def times(self, goes_on: Callable[[int], object]) -> list[float]:
        """Make runs while `goes_on` holds for their number; return the seconds of each."""
        found: list[float] = []
        while goes_on(len(found)):
            found.append(self.time_run())
            time.sleep(0.005)
        return found


def p95(times: list[float]) -> float:
    """Return the time that 95 of 100 runs do not exceed."""
    return statistics.quantiles(times, n=20)[-1]
