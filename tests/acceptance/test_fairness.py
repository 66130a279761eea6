"""What one account's flood of runs does to the runs of another."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from deploy.http_client import call
from engine import keyspace
from tests.acceptance.running import RunningStack, running, until
from tests.factories import greeting

ROOT = Path(__file__).parents[2]
RUN = "/api/workflows/{}/run"


def make_caller(stack: RunningStack, name: str) -> tuple[str, str]:
    """An account without limits and a key of it."""
    email = f"{name}@localhost"
    made = stack.command("account", "create", "--email", email, "--tier", "enterprise", "--json")
    account = str(json.loads(made.stdout)["id"])
    key = stack.command("key", "create", "--account", account, "--preset", "Full deploy", "--json")
    return account, str(json.loads(key.stdout)["key"])


def save(stack: RunningStack, key: str, name: str) -> str:
    body = greeting().body(name)
    status, answer = call("POST", stack.url + "/api/workflows", key=key, body=body)
    assert status == 201
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
        began = time.perf_counter()
        body = json.dumps({"inputs": {"who": "Ada"}})
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        assert (answer.status, b"Hello Ada" in answer.read()) == (200, True)
        return time.perf_counter() - began

    def times(self, goes_on: Callable[[int], object]) -> list[float]:
        found: list[float] = []
        while goes_on(len(found)):
            found.append(self.time_run())
            time.sleep(0.005)
        return found


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def measure(folder: Path, *, count: int, connections: int, rounds: int) -> tuple[float, float]:
    """The p95 of a caller alone, and beside floods of another account, in seconds."""
    alone: list[float] = []
    beside: list[float] = []
    with running(folder, "--no-demo") as stack, redis.Redis.from_url(stack.redis_url) as client:
        flooder, flood_key = make_caller(stack, "flood")
        _, key = make_caller(stack, "light")
        flood_url = stack.url + RUN.format(save(stack, flood_key, "Flood"))
        command = [sys.executable, "-m", "tests.acceptance.flooding", flood_url, flood_key]
        active = keyspace.active(flooder)
        with closing(Caller(stack, save(stack, key, "Light"), key)) as caller:
            caller.times(lambda made: made < 100)
            for _ in range(rounds):
                alone += caller.times(lambda made: made < 200)
                with subprocess.Popen([*command, str(count), str(connections)], cwd=ROOT) as flood:
                    until(lambda: client.scard(active))
                    beside += caller.times(lambda _: flood.poll() is None or client.scard(active))
                assert flood.returncode == 0
    return p95(alone), p95(beside)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("connections", [4, 64])
def test_a_flood_leaves_others_their_pace(tmp_path: Path, connections: int) -> None:
    alone, beside = measure(tmp_path, count=5_000, connections=connections, rounds=3)

    print(f"p95 alone {alone * 1000:.2f} ms, beside a flood {beside * 1000:.2f} ms")
    assert beside <= 2 * alone


def test_a_run_does_not_wait_for_the_flood_before_it(tmp_path: Path) -> None:
    """As above, with a bar that holds on a machine that is busy with other tests."""
    _, beside = measure(tmp_path, count=1_500, connections=16, rounds=1)

    assert beside < 0.25
