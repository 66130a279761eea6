"""Drain of a worker with nodes of 2, 25 and 120 seconds."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import call
from tests.support.acceptance.running_stack import until
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, Member, running_fleet
from tests.support.drains.provider import Provider, asking, recording_provider, write_model

DRAIN_SECONDS = 30.0
"""Time of the settings."""
NODES = (2, 25, 120)
MARGIN_SECONDS = 10.0
"""Time of a busy machine for an exit."""

Record = Callable[[str, object], None]


@dataclass
class Runs:
    """Runs of one node each, by the seconds of the node."""

    gateway: Member
    key: str
    ids: dict[int, str]

    def get(self, seconds: int) -> Any:
        url = f"{self.gateway.url}/api/executions/{self.ids[seconds]}"
        return call("GET", url, key=self.key)[1]

    def ended(self, seconds: int) -> Any:
        return until(lambda: self.get(seconds), lambda run: run["completedAt"])


def begin(fleet: Fleet, gateway: Member) -> Runs:
    key = fleet.make_key()
    path = f"{gateway.url}/api/workflows/{fleet.save(key, 'Asking', asking())}/run?async=true"
    ids = {}
    for seconds in NODES:
        inputs = {"who": f"run {seconds} [[stub delay={1_000 * seconds}]]"}
        ids[seconds] = call("POST", path, key=key, body={"inputs": inputs})[1]["executionId"]
    return Runs(gateway, key, ids)


def drain(fleet: Fleet, provider: Provider, record: Record) -> Runs:
    """Stop the worker that holds the runs, with another one beside it."""
    gateway, first = fleet.start(GATEWAY).wait_ready(), fleet.start(WORKER).wait_ready()
    runs = begin(fleet, gateway)
    until(lambda: provider.running, len(NODES).__eq__)
    fleet.start(WORKER).wait_ready()

    told = time.monotonic()
    code = first.end(signal.SIGTERM, DRAIN_SECONDS + MARGIN_SECONDS)
    exited = time.monotonic()
    until(lambda: provider.repeated().prompts)

    record("exit_seconds", exited - told)
    record("restart_seconds_after_exit", time.monotonic() - exited)
    assert code == 0
    return runs


@pytest.mark.F25
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_what_cannot_end_in_time_is_given_back_without_an_attempt(
    tmp_path: Path, record_property: Record
) -> None:
    def run() -> None:
        with recording_provider() as provider:
            environ = {"HEADRACE_MODELS_DIR": write_model(tmp_path / "models"), **provider.environ}
            with running_fleet(tmp_path, **environ) as fleet:
                runs = drain(fleet, provider, record_property)
                for seconds in NODES[:2]:
                    assert runs.ended(seconds)["result"] == {"text": f"(stub) run {seconds}"}
                again = runs.get(NODES[2])
                repeated = provider.repeated()

        assert (again["status"], [each["attempts"] for each in again["nodes"]][:1]) == (
            "processing",
            [1],
        )
        assert len(repeated.prompts) == repeated.with_one_key == 1
        assert repeated.most == 2

    await asyncio.to_thread(run)
