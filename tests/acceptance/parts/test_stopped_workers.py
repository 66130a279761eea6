"""A worker that stops for longer than its lease, and goes on with runs that others have taken."""

import asyncio
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import call
from tests.support.acceptance.running_stack import environment, until
from tests.support.acceptance.versions.releases import ROOT
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, Member, running_fleet
from tests.support.drains.provider import Provider, asking, recording_provider, write_model

EXECUTIONS = 10
CALL_SECONDS = 40
"""Enough for a second worker to start on a busy machine."""
HELD_SECONDS = 20
"""Time without the interpreter's lock; a lease is 3 seconds."""
COST = 11
"""Credits of one call of the model."""
ACTORS = {
    "HEADRACE_ACTORS": "tests.support.drains.lock_holder",
    "PYTHONPATH": str(ROOT),
}
SEND = f"from {ACTORS['HEADRACE_ACTORS']} import hold_lock; hold_lock.send('{{}}', {HELD_SECONDS})"
BEGIN = "hold"
"""File whose appearance begins the hold."""
FENCED = re.compile(r"^headrace_steps_fenced_total (\S+)", re.MULTILINE)

Record = Callable[[str, object], None]
pytestmark = [pytest.mark.F31, pytest.mark.slow, pytest.mark.timeout(240)]


def fenced(member: Member) -> float:
    """Return the results that a worker was refused."""
    with urllib.request.urlopen(f"{member.url}/metrics", timeout=30) as response:
        found = FENCED.search(response.read().decode())
    return float(found[1]) if found else 0.0


def send_actor(fleet: Fleet) -> None:
    """Let the worker's actor wait for the file."""
    command = [sys.executable, "-c", SEND.format(fleet.folder / BEGIN)]
    subprocess.run(command, env=environment(**fleet.environ, **ACTORS), check=True, timeout=60)


def begin_all(fleet: Fleet, gateway: Member, key: str) -> list[str]:
    slug = fleet.save(key, "Asking", asking())
    path = f"{gateway.url}/api/workflows/{slug}/run?async=true"
    ids = []
    for number in range(EXECUTIONS):
        inputs = {"who": f"run {number} [[stub delay={1_000 * CALL_SECONDS}]]"}
        ids.append(call("POST", path, key=key, body={"inputs": inputs})[1]["executionId"])
    return ids


def stop_process(fleet: Fleet, first: Member, provider: Provider) -> None:
    """Stop all threads of the worker until another one has repeated its calls."""
    first.process.send_signal(signal.SIGSTOP)
    until(lambda: len(provider.repeated().prompts), EXECUTIONS.__eq__)
    first.process.send_signal(signal.SIGCONT)


def hold_lock(fleet: Fleet, first: Member, provider: Provider) -> None:
    """Let the worker's actor keep the interpreter's lock."""
    (fleet.folder / BEGIN).touch()


def check_run(number: int, run: Any) -> None:
    assert run["status"] == "completed", run
    assert run["result"] == {"text": f"(stub) run {number}"}
    assert run["creditsCost"] == COST
    assert run["nodes"][0]["attempts"] <= 2


def survive(
    folder: Path, stop: Callable[[Fleet, Member, Provider], None], record: Record
) -> tuple[int, float]:
    """Stop the worker that has all runs; return the number of repeated calls, and refusals."""
    with recording_provider() as provider:
        environ = {"HEADRACE_MODELS_DIR": write_model(folder / "models"), **provider.environ}
        with running_fleet(folder, **environ) as fleet:
            gateway = fleet.start(GATEWAY).wait_ready()
            first = fleet.start(WORKER, **ACTORS).wait_ready()
            send_actor(fleet)
            key = fleet.make_key()
            ids = begin_all(fleet, gateway, key)
            until(lambda: provider.running, EXECUTIONS.__eq__)
            fleet.start(WORKER).wait_ready()

            stop(fleet, first, provider)
            urls = [f"{gateway.url}/api/executions/{each}" for each in ids]
            for number, url in enumerate(urls):
                run = until(
                    lambda url=url: call("GET", url, key=key)[1], lambda run: run["completedAt"]
                )
                check_run(number, run)
            until(first.readiness, (200).__eq__)
            refused = fenced(first)
            checked = fleet.command("ledger", "check", "--json")
            (fleet.folder / BEGIN).touch()
            assert first.end(signal.SIGTERM) == 0
        repeated = provider.repeated()

    assert checked.returncode == 0, checked.stdout
    assert repeated.most <= 2
    assert repeated.with_one_key == len(repeated.prompts)
    record("executions", EXECUTIONS)
    record("repeated_calls", len(repeated.prompts))
    record("refused_results", refused)
    return len(repeated.prompts), refused


async def test_a_stopped_process_comes_back_to_runs_that_have_another_worker(
    tmp_path: Path, record_property: Record
) -> None:
    repeated, _ = await asyncio.to_thread(survive, tmp_path, stop_process, record_property)

    assert repeated == EXECUTIONS


async def test_code_that_holds_the_interpreters_lock_ends_no_run_twice(
    tmp_path: Path, record_property: Record
) -> None:
    repeated, _ = await asyncio.to_thread(survive, tmp_path, hold_lock, record_property)

    assert repeated > 0, "others have taken runs over"
