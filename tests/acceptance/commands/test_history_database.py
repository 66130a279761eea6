"""A stack whose history's file is replaced while it runs, and a worker without the database."""

import json
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from deploy.stack.location import read_private
from tests.support.acceptance.running_stack import (
    HEADRACE,
    RunningStack,
    environment,
    running,
    until,
)
from tests.support.gateway.documents import edge, node

RUNS = 30
HOT_SECONDS = 5.0
SECONDS = 120.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DOCUMENT = {
    "name": "Echo",
    "slug": "echo",
    "nodes": [
        node("text", "textBox", text="hello"),
        node("out", "responseOutput"),
    ],
    "edges": [edge("text", "text-out", "out", "result-in")],
}


def run(stack: RunningStack) -> str:
    status, answer = stack.api("POST", "/api/workflows/echo/run", {"inputs": {}})
    assert status == 200, answer
    return str(answer["executionId"])


def statuses(stack: RunningStack, ids: list[str]) -> Counter[int]:
    return Counter(stack.api("GET", f"/api/executions/{each}")[0] for each in ids)


def is_degraded(stack: RunningStack) -> bool:
    status, answer = stack.api("GET", "/readyz")
    assert status == 200
    return "history" in answer.get("degraded", [])


def seen_by_doctor(stack: RunningStack) -> str:
    found = json.loads(stack.command("doctor", "--json").stdout)["checks"]
    [check] = [each for each in found if each["name"] == "history"]
    return str(check["seen"])


@pytest.mark.thorough
def test_a_replaced_file_loses_no_run_and_is_told(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "1", HEADRACE_HOT_MINUTES="0") as stack:
        assert stack.api("POST", "/api/workflows", DOCUMENT)[0] == 201
        first = [run(stack) for _ in range(RUNS)]
        time.sleep(3 * HOT_SECONDS)
        assert statuses(stack, first) == {200: RUNS}

        moved = tmp_path / "moved"
        moved.mkdir()
        for each in sorted(stack.data_dir.glob("history.sqlite*")):
            each.rename(moved / each.name)
        assert stack.command("migrate").returncode == 0
        later = [run(stack) for _ in range(RUNS)]
        until(lambda: is_degraded(stack), timeout=SECONDS)
        time.sleep(4 * HOT_SECONDS)
        print("after the replacement:", statuses(stack, later), statuses(stack, first))
        assert statuses(stack, later) == {200: RUNS}
        assert 404 not in statuses(stack, first)
        assert "another one" in seen_by_doctor(stack)

        for each in sorted(stack.data_dir.glob("history.sqlite*")):
            each.unlink()
        for each in sorted(moved.iterdir(), reverse=True):  # the file itself after its companions
            each.rename(stack.data_dir / each.name)
        until(lambda: not is_degraded(stack), timeout=SECONDS)
        until(lambda: statuses(stack, first + later), {200: 2 * RUNS}.__eq__, timeout=SECONDS)


@pytest.mark.thorough
def test_a_worker_without_the_database_is_named(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "1", HEADRACE_HOT_MINUTES="0") as stack:
        assert stack.api("POST", "/api/workflows", DOCUMENT)[0] == 201
        run(stack)
        until(lambda: stack.command("history", "status").returncode == 0, timeout=SECONDS)
        time.sleep(HOT_SECONDS)
        settings = read_private(stack.data_dir / "stack.json")["settings"]
        without = {name: value for name, value in settings.items() if "DATABASE" not in name}
        key = (stack.data_dir / "secret.key").read_text().strip()
        own = {"HEADRACE_REDIS_URL": stack.redis_url, "HEADRACE_SECRET_KEY": key}
        environ = environment(**without | own)
        lone = subprocess.Popen(
            [*HEADRACE, "worker"], cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL
        )
        try:
            until(lambda: is_degraded(stack), timeout=SECONDS)
            seen = seen_by_doctor(stack)
        finally:
            lone.terminate()
            lone.wait(40)

        assert f"-{lone.pid}-" in seen
        assert "has no HEADRACE_DATABASE_URL" in seen
