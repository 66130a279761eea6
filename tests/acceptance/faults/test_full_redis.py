"""A whole stack with a Redis filled by callers: it refuses runs, goes on, and recovers."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy.net.http_client import Unreachable, call
from tests.support.acceptance.callers import make_caller
from tests.support.acceptance.running_stack import BARE, ONE_WORKER, RunningStack, running, until
from tests.support.http.target import Stub, stub_server

LIMIT = 40_000_000
CALLERS = 8
VALUE = "x" * 100_000
"""Bytes that stay on the record of a run: under 256 KiB."""
ENDED = ("completed", "failed", "cancelled")
RECOVERY_SECONDS = 5.0
"""Bound of the time from a raised limit until runs are accepted."""


def document(url: str) -> dict[str, Any]:
    """Return a workflow that sends its input to a server and returns it."""
    field = {"name": "value", "label": "Value", "type": "text", "required": True}
    nodes = {
        "in": ("requestInput", {"fields": [field], "values": {"value": ""}}),
        "call": ("httpRequest", {"url": url}),
        "text": ("textBox", {"text": "{{ value }}{{ answer }}"}),
        "out": ("responseOutput", {}),
    }
    edges = (
        ("in", "value", "text", "value"),
        ("call", "response-out", "text", "answer"),
        ("text", "text-out", "out", "result-in"),
    )
    position = {"x": 0, "y": 0}
    return {
        "name": "Fill",
        "nodes": [
            {"id": name, "type": kind, "position": position, "data": data}
            for name, (kind, data) in nodes.items()
        ],
        "edges": [
            {"id": str(n), "source": a, "sourceHandle": b, "target": c, "targetHandle": d}
            for n, (a, b, c, d) in enumerate(edges)
        ],
    }


class Flood:
    """Callers that start runs without waiting, and the answers."""

    def __init__(self, stack: RunningStack, key: str) -> None:
        self._stack = stack
        self._key = key
        self._stop = threading.Event()
        self.answers: Counter[tuple[int, str]] = Counter()
        self.accepted: list[str] = []
        self.names_redis = False
        """Whether an answer had the text of Redis's refusal."""
        self._threads = [threading.Thread(target=self._go_on) for _ in range(CALLERS)]

    def _go_on(self) -> None:
        url, body = f"{self._stack.url}/api/workflows/fill/run?async=true", {"value": VALUE}
        while not self._stop.is_set():
            try:
                status, answer = call("POST", url, key=self._key, body={"inputs": body}, timeout=30)
            except Unreachable as error:
                self.answers[0, str(error)] += 1
                continue
            self.answers[status, answer.get("code", "")] += 1
            self.names_redis = self.names_redis or "OOM" in json.dumps(answer)
            if status == 202:
                self.accepted.append(answer["executionId"])
            else:
                self._stop.wait(0.05)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)

    @property
    def refused(self) -> int:
        return self.answers[503, "UNAVAILABLE"]


def doctor(stack: RunningStack) -> Any:
    report = json.loads(stack.command("doctor", "--json").stdout)
    return next(check for check in report["checks"] if check["name"] == "memory")


def ready(stack: RunningStack) -> Any:
    status, answer = call("GET", f"{stack.url}/readyz")
    assert status == 200
    return answer.get("degraded", [])


@pytest.fixture
def server() -> Iterator[Stub]:
    with stub_server() as stub:
        yield stub


@pytest.mark.thorough
def test_a_stack_starts_on_a_redis_that_is_full(tmp_path: Path) -> None:
    with running(tmp_path, *BARE) as stack:
        _, key = make_caller(stack, "caller")
        save = ("POST", f"{stack.url}/api/workflows")
        assert call(*save, key=key, body=document("https://example.com"))[0] == 201
        assert stack.stop() == 0

    with running(tmp_path, *ONE_WORKER, HEADRACE_REDIS_MEMORY_BYTES="1") as stack:
        listed = call("GET", f"{stack.url}/api/workflows", key=key)
        run = call("POST", f"{stack.url}/api/workflows/fill/run", key=key, body={"inputs": {}})

        assert (listed[0], len(listed[1])) == (200, 1)
        assert (run[0], run[1]["code"]) == (503, "UNAVAILABLE")
        until(lambda: ready(stack), lambda observed: "memory" in observed)
        assert doctor(stack)["seen"].count(" of 1 bytes used ")


@pytest.mark.F20
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kills_worker", [False, True])
def test_callers_fill_the_memory_and_lose_nothing(
    tmp_path: Path,
    server: Stub,
    record_property: Callable[[str, object], None],
    *,
    kills_worker: bool,
) -> None:
    environ = {"HEADRACE_REDIS_MEMORY_BYTES": str(LIMIT), "HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    with (
        running(tmp_path, "--no-demo", **environ) as stack,
        redis.Redis.from_url(stack.redis_url) as client,
    ):
        _, key = make_caller(stack, "flood")
        made = call(
            "POST", f"{stack.url}/api/workflows", key=key, body=document(f"{server.url}/ok")
        )
        assert made[0] == 201, made
        flood = Flood(stack, key)
        with flood.going_on():
            until(lambda: flood.refused > 200, timeout=120)
            if kills_worker:
                os.kill(stack.part("worker")[0], signal.SIGKILL)
            until(lambda: ready(stack), lambda observed: "memory" in observed)
            assert not doctor(stack)["ok"]
            page = call("GET", f"{stack.url}/api/executions?limit=5", key=key)
            assert (page[0], len(page[1]["rows"])) == (200, 5)
        used = client.info("memory")["used_memory"]
        assert set(flood.answers) == {(202, ""), (503, "UNAVAILABLE")}
        assert not flood.names_redis

        def status(execution_id: str) -> str:
            code, answer = call("GET", f"{stack.url}/api/executions/{execution_id}", key=key)
            assert code == 200
            return str(answer["status"])

        for execution_id in flood.accepted:
            until(lambda each=execution_id: status(each), ENDED.__contains__, timeout=60)
        ended = Counter(status(each) for each in flood.accepted)
        assert ended == {"completed": len(flood.accepted)}
        refused = call(
            "POST",
            f"{stack.url}/api/workflows/fill/run",
            key=key,
            body={"inputs": {"value": VALUE}},
        )
        assert refused[0] == 503

        # Accepted runs have stored two to three times the bytes of their acceptance.
        client.config_set("maxmemory", 2 * used)
        raised = time.monotonic()

        url, body = f"{stack.url}/api/workflows/fill/run", {"inputs": {"value": "x"}}
        until(lambda: call("POST", url, key=key, body=body)[0], lambda seen: seen == 200)
        recovery = time.monotonic() - raised
        assert recovery <= RECOVERY_SECONDS
        until(lambda: ready(stack), lambda observed: "memory" not in observed)
        assert doctor(stack)["ok"]
        assert stack.command("ledger", "check").returncode == 0
    record_property("executions", len(flood.accepted))
    record_property("refused", flood.refused)
    record_property("lost", 0)
    record_property("recovery_seconds", round(recovery, 2))
