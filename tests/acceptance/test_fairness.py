"""What one account's flood of runs does to the runs of another."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from deploy.http_client import call
from engine import keyspace
from tests.acceptance.running import RunningStack, running
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

    def time_run(self) -> float:
        began = time.perf_counter()
        body = json.dumps({"inputs": {"who": "Ada"}})
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        assert (answer.status, b"Hello Ada" in answer.read()) == (200, True)
        return time.perf_counter() - began

    def times(self, goes_on: Callable[[int], bool]) -> list[float]:
        found: list[float] = []
        while goes_on(len(found)):
            found.append(self.time_run())
            time.sleep(0.005)
        return found


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def measure(folder: Path, *, count: int, connections: int, workers: int) -> tuple[float, float]:
    """The p95 of a caller alone, and beside a flood of another account, in seconds."""
    with running(folder, "--no-demo", "--workers", str(workers)) as stack:
        flooder, flood_key = make_caller(stack, "flood")
        _, key = make_caller(stack, "light")
        flood_slug, slug = save(stack, flood_key, "Flood"), save(stack, key, "Light")
        caller = Caller(stack, slug, key)
        caller.times(lambda made: made < 50)
        alone = p95(caller.times(lambda made: made < 300))

        url = stack.url + RUN.format(flood_slug)
        command = [sys.executable, "-m", "tests.acceptance.flooding", url, flood_key]
        began = time.perf_counter()
        with (
            redis.Redis.from_url(stack.redis_url) as client,
            subprocess.Popen([*command, str(count), str(connections)], cwd=ROOT) as flood,
        ):
            active = keyspace.active(flooder)
            beside = caller.times(lambda _: flood.poll() is None or bool(client.scard(active)))
        print(
            f"\nflood of {count} over {connections}: {time.perf_counter() - began:.2f} s; "
            f"p95 alone {alone * 1000:.2f} ms, beside {p95(beside) * 1000:.2f} ms, "
            f"median beside {statistics.median(beside) * 1000:.2f}, of {len(beside)}"
        )
        return alone, p95(beside)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_flood_leaves_others_their_pace(tmp_path: Path) -> None:
    alone, beside = measure(
        tmp_path,
        count=int(os.environ.get("FLOOD", "5000")),
        connections=int(os.environ.get("CONNECTIONS", "4")),
        workers=int(os.environ.get("WORKERS", "2")),
    )

    assert beside <= 2 * alone
