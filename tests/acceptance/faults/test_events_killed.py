"""Events of an inbound webhook while gateways, workers and Redis are killed under them."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.installation import Administration
from tests.support.contract.triggers import SECRET, at, greeting, hook, make
from tests.support.triggers.signatures import github

EVENTS = 300
RATE = 20
KILL_EVERY = 1.5
GOOD = {200, 202}


@pytest.mark.slow
def test_each_event_that_is_sent_until_it_is_taken_starts_one_run(tmp_path: Path) -> None:
    with running(tmp_path, "--no-demo", "--workers", "2", "--gateways", "2") as stack:
        administration = Administration(stack)
        owner = administration.browser(administration.account("enterprise"))
        owner.put("/api/secrets/SIGNING", {"value": SECRET})
        verify = {"kind": "github", "secret": "SIGNING"}
        trigger = make(owner, hook(owner.save(greeting()), verify=verify, when="body.n >= 0.0"))

        answers = asyncio.run(_send_under_kills(stack, trigger["url"]))

        assert set(answers) == set(range(EVENTS))
        executions = {number: body["executionId"] for number, (_, body) in answers.items()}
        assert len(set(executions.values())) == EVENTS
        rows = until(lambda: _rows(owner, trigger), lambda found: len(found) >= EVENTS)
        started = Counter(row["executionId"] for row in rows if row["status"] == "started")
        assert started == Counter(executions.values())
        path = f"/api/executions?triggerId={trigger['id']}&status=processing"
        until(lambda: owner.get(path).json()["rows"], lambda left: not left, timeout=120)
        administration.close()


def _rows(owner: Any, trigger: dict[str, Any]) -> list[Any]:
    rows, cursor = [], ""
    while cursor is not None:
        query = f"?limit=200&cursor={cursor}" if cursor else "?limit=200"
        page = owner.get(at(trigger, f"/occurrences{query}")).json()
        rows += page["rows"]
        cursor = page["nextCursor"]
    return rows


async def _send_under_kills(stack: RunningStack, url: str) -> dict[int, tuple[int, Any]]:
    """Send every event until it is taken, and kill parts of the stack meanwhile."""
    answers: dict[int, tuple[int, Any]] = {}
    began = time.monotonic()
    async with httpx2.AsyncClient(timeout=20) as client, asyncio.TaskGroup() as tasks:
        killer = tasks.create_task(_kill_parts(stack))
        senders = []
        for number in range(EVENTS):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            senders.append(tasks.create_task(_send(client, url, number, answers)))
        await asyncio.gather(*senders)
        killer.cancel()
    return answers


async def _send(
    client: httpx2.AsyncClient, url: str, number: int, answers: dict[int, tuple[int, Any]]
) -> None:
    body = json.dumps({"name": f"event {number}", "n": number}).encode()
    headers = {"content-type": "application/json", **github(SECRET, body, f"d-{number}")}
    while True:
        try:
            answer = await client.post(url, content=body, headers=headers)
        except httpx2.TransportError:
            answer = None
        if answer is not None and answer.status_code in GOOD:
            answers[number] = answer.status_code, answer.json()
            return
        assert answer is None or answer.status_code in {500, 503}, answer.text
        await asyncio.sleep(0.3)


async def _kill_parts(stack: RunningStack) -> None:
    turn = 0
    while True:
        await asyncio.sleep(KILL_EVERY)
        kind = ("gateway", "worker", "gateway", "redis")[turn % 4]
        pids = stack.part(kind)
        if pids:
            os.kill(pids[turn % len(pids)], signal.SIGKILL)
        turn += 1
