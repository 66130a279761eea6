import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.net.http_client import Unreachable
from tests.support.acceptance.connections import owner_of
from tests.support.acceptance.documents import save_call, save_chain_and_fan
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.target import Stub, stub_server

RECOVERY_SECONDS = 15.0
"""A few seconds on an idle machine: a lease of 3 s, and the rest of the walk."""
"""Limit; the supervisor notices a worker's death, which takes much less than a lease."""
CALLERS = 4
TERMINAL = frozenset({"completed", "failed", "cancelled"})


@pytest.fixture
def server() -> Iterator[Stub]:
    with stub_server(holds=True) as started:
        yield started


@pytest.mark.parametrize("kind", ["redis", "gateway", "worker"])
def test_a_part_that_was_killed_is_started_again(stack: RunningStack, kind: str) -> None:
    kill_and_await(stack, kind)

    assert until(lambda: greet(stack) == 200)


def greet(stack: RunningStack) -> int:
    """Return the status of a run, 0 while no gateway answers."""
    try:
        status, _ = stack.api("POST", "/api/workflows/greeting-letter/run", {"inputs": {}})
    except Unreachable:
        return 0
    return status


def kill_a_worker_in_the_middle(stack: RunningStack, server: Stub, name: str) -> float:
    """Return the seconds from the kill to the answer."""
    slug = save_chain_and_fan(stack, server.url)
    path = f"/api/workflows/{slug}/run"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.api, "POST", path, {"inputs": {"id": name}})
        assert server.held.wait(PATIENCE_SECONDS)
        until(lambda: server.counts[f"/quick-first-{name}"])
        until(lambda: statuses(stack, slug).get("quick") == "completed")

        os.kill(owner_of(server.holder_port, stack.part("worker")), signal.SIGKILL)
        killed = time.monotonic()
        status, answer = waiting.result(PATIENCE_SECONDS)
        elapsed = time.monotonic() - killed

    assert (status, answer.get("result")) == (
        200,
        {"text": f"quick-first-{name} and held-first-{name}"},
    )
    assert server.counts == {
        f"/first-{name}": 1,
        f"/quick-first-{name}": 1,
        f"/held-first-{name}": 2,
    }
    return elapsed


def statuses(stack: RunningStack, slug: str) -> dict[str, str]:
    """Return the status of each node of a workflow's newest execution."""
    _, listed = stack.api("GET", f"/api/executions?workflowSlug={slug}&limit=1")
    if not listed["rows"]:
        return {}
    _, execution = stack.api("GET", f"/api/executions/{listed['rows'][0]['executionId']}")
    return {one["id"]: one["status"] for one in execution["nodes"]}


@pytest.mark.F07
@pytest.mark.parametrize("turn", range(2))
def test_a_caller_gets_the_answer_although_the_worker_was_killed(
    stack: RunningStack, server: Stub, turn: int
) -> None:
    until(lambda: stack.part("worker"), lambda workers: len(workers) == 2)

    seconds = kill_a_worker_in_the_middle(stack, server, f"turn{turn}")

    assert seconds < 3 * RECOVERY_SECONDS  # beside other work


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(10))
def test_a_caller_gets_the_answer_however_often_a_worker_is_killed(
    stack: RunningStack, server: Stub, turn: int
) -> None:
    until(lambda: stack.part("worker"), lambda workers: len(workers) == 2)

    seconds = kill_a_worker_in_the_middle(stack, server, f"again{turn}")

    assert seconds < RECOVERY_SECONDS


class Callers:
    """Threads that start executions and note their ids."""

    def __init__(self, stack: RunningStack, path: str, key: str) -> None:
        self.accepted: dict[str, str] = {}
        self._stack = stack
        self._path = path
        self._key = key
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _call(self, caller: int) -> None:
        for number in itertools.count():
            if self._stopping.is_set():
                return
            name = f"c{caller}-{number}"
            execution_id = self._start(name)
            if execution_id is not None:
                self.accepted[execution_id] = name

    def _start(self, name: str) -> str | None:
        try:
            status, answer = self._stack.api(
                "POST", self._path, {"inputs": {"id": name}}, key=self._key
            )
        except Unreachable:
            return None
        if status != 202:
            self._stopping.wait(0.02)
            return None
        return str(answer["executionId"])

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more were accepted."""
        enough = len(self.accepted) + count
        until(lambda: len(self.accepted) >= enough, timeout=30)

    def stop(self) -> None:
        """Stop starting executions."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()


def kill_redis_under_load(folder: Path, *, kills: int, seconds_between: float) -> None:
    with (
        stub_server(holds=True) as server,
        running(folder, HEADRACE_ALLOW_PRIVATE_URLS="1") as stack,
    ):
        key = make_unlimited_key(stack)
        slug = save_call(stack, server.url, key)
        callers = Callers(stack, f"/api/workflows/{slug}/run?async=true", key)
        for _ in range(kills):
            callers.wait_for_more(20)
            time.sleep(seconds_between)
            kill_and_await(stack, "redis")
        callers.wait_for_more(20)
        callers.stop()

        ends = {name: end_of(stack, execution, key) for execution, name in callers.accepted.items()}

        assert ends == dict.fromkeys(ends, ("completed", None))
        assert {name: server.counts[f"/{name}"] for name in ends} == dict.fromkeys(ends, 1)


def kill_and_await(stack: RunningStack, kind: str) -> None:
    """Kill a part and wait for its replacement."""
    before = stack.part(kind)
    os.kill(before[0], signal.SIGKILL)
    until(
        lambda: stack.part(kind),
        lambda now: len(now) == len(before) and before[0] not in now,
    )


def make_unlimited_key(stack: RunningStack) -> str:
    """Create a key of an account without a rate limit."""
    made = stack.command(
        "account", "create", "--email", "load@localhost", "--tier", "enterprise", "--json"
    )
    account = json.loads(made.stdout)["id"]
    key = stack.command("key", "create", "--account", account, "--preset", "Full deploy", "--json")
    return str(json.loads(key.stdout)["key"])


def end_of(stack: RunningStack, execution_id: str, key: str) -> tuple[str, object]:
    """Return the last status of an execution, and its error."""
    path = f"/api/executions/{execution_id}"

    def read() -> tuple[str, object]:
        _, answer = stack.api("GET", path, key=key)
        return str(answer.get("status")), answer.get("error")

    return until(read, lambda end: end[0] in TERMINAL, timeout=60)


@pytest.mark.F18
def test_what_was_accepted_ends_once_although_redis_was_killed(tmp_path: Path) -> None:
    kill_redis_under_load(tmp_path, kills=2, seconds_between=0.2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_accepted_ends_once_however_often_redis_is_killed(tmp_path: Path) -> None:
    kill_redis_under_load(tmp_path, kills=12, seconds_between=2.0)
