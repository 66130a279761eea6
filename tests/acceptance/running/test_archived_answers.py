"""Answers about tagged runs, deliveries and batches are the same once Redis has forgotten them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.acceptance.callers import make_caller
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.acceptance.topology import TOPOLOGY
from tests.support.contract.installation import Caller, failing, open_client
from tests.support.gateway.documents import greeting
from tests.support.http.webhook_receivers import receiving

ENVIRON = {
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_WEBHOOK_TIME_SCALE": "0.0005",
    "HEADRACE_HOT_MINUTES": "0.25",
}
EVENTS = ["execution.started", "node.finished", "execution.completed"]
DELIVERIES = 7
"""One of the first run, five of the second one with its three nodes, and one of the batch."""


@dataclass(frozen=True, slots=True)
class Ada:
    """Account of a stack, with a key that has a webhook."""

    caller: Caller
    account: str
    slug: str
    """Workflow that completes."""
    failing: str
    """Workflow that fails."""

    def begin(self, url: str) -> tuple[list[str], str]:
        """Begin runs, and a batch whose items fail; return their ids once all is delivered."""
        path, inputs = f"/api/workflows/{self.slug}/run?async=true", {"name": "Ada"}
        webhook = {"url": url, "events": EVENTS}
        bodies = [
            {"inputs": inputs, "tags": ["nightly", "a, b"]},
            {"inputs": inputs, "tags": ["nightly"], "webhook": webhook},
        ]
        ids = [self.caller.post(path, each).json()["executionId"] for each in bodies]
        items = [{"inputs": {}, "tags": [f"t{number}"]} for number in range(3)]
        many = {"items": items, "tags": ["many"]}
        started = self.caller.post(f"/api/workflows/{self.failing}/batch", many)
        assert started.status_code == 202, started.text
        batch_id = str(started.json()["batchId"])
        for each in ids:
            self.caller.ended(each)
        until(lambda: self.caller.get(f"/api/batches/{batch_id}").json()["completedAt"])
        until(lambda: len(self.told()), lambda count: count == DELIVERIES)
        until(lambda: [row for row in self.told() if row["status"] == "pending"], empty)
        return ids, batch_id

    def told(self) -> list[dict[str, Any]]:
        """Return the account's deliveries."""
        rows: list[dict[str, Any]] = self.caller.get("/api/deliveries").json()["rows"]
        return rows

    def answers(self, ids: list[str], batch_id: str) -> dict[str, Any]:
        """Return what a caller sees of all of them, by path."""
        paths = [
            *(f"/api/executions/{each}" for each in ids),
            *("/api/executions?tag=nightly", "/api/executions?tag=nightly&tag=a%2C%20b"),
            *(f"/api/executions?batchId={batch_id}", "/api/executions?tag=many&tag=t1"),
            *("/api/usage?tag=nightly", "/api/usage?tag=many"),
            *("/api/batches", f"/api/batches/{batch_id}", f"/api/batches/{batch_id}/items"),
            *("/api/deliveries", f"/api/deliveries?executionId={ids[0]}"),
            *(f"/api/deliveries?executionId={ids[1]}", "/api/deliveries?status=delivered"),
        ]
        return {path: self.caller.get(path).json() for path in paths}


@contextmanager
def hooked(stack: RunningStack, url: str) -> Iterator[Ada]:
    """Yield an account whose key has a webhook."""
    account, key = make_caller(stack, "ada")
    with open_client(stack.url, {"x-api-key": key}) as client:
        slug, fails = Caller(client).save(greeting()), Caller(client).save(failing())
    preset = ("--preset", "Run with webhooks")
    made = json_of(stack, "key", "create", "--account", account, *preset)
    json_of(stack, "key", "webhook", made["id"], "--url", url, **ENVIRON)
    with open_client(stack.url, {"x-api-key": made["key"]}) as client:
        yield Ada(Caller(client), account, slug, fails)


def empty(found: list[Any]) -> bool:
    return not found


def names(client: "redis.Redis") -> list[str]:
    return [name.decode() for name in client.scan_iter()]


def left_in_redis(client: "redis.Redis") -> list[str]:
    """Return the keys of executions, deliveries and batches."""
    kinds = (":execution:", ":delivery:", ":batch:")
    return [name for name in names(client) if any(kind in name for kind in kinds)]


def watch(stack: RunningStack, url: str) -> None:
    with hooked(stack, f"{url}/ok") as ada, redis.Redis.from_url(stack.redis_url) as client:
        ids, batch_id = ada.begin(f"{url}/ok")
        before = ada.answers(ids, batch_id)
        assert left_in_redis(client), "the answers before are those of Redis"

        until(lambda: left_in_redis(client), empty)

        after = ada.answers(ids, batch_id)
        for path, found in before.items():
            assert after[path] == found, path
        counts = {path: len(found.get("rows", ())) for path, found in before.items()}
        assert counts["/api/executions?tag=nightly"] == 2
        assert counts["/api/executions?tag=many&tag=t1"] == 1
        assert counts[f"/api/executions?batchId={batch_id}"] == 3
        assert counts[f"/api/deliveries?executionId={ids[1]}"] == len(EVENTS) + 2
        retry = f"/api/batches/{batch_id}/retry"
        retries = [ada.caller.post(retry).json()["batchId"] for _ in range(2)]
        assert retries[0] == retries[1] != batch_id
        json_of(stack, "account", "erase", ada.account, "--yes")
        assert [name for name in names(client) if ada.account in name] == []


@pytest.mark.timeout(180)
@pytest.mark.skipif(bool(TOPOLOGY), reason="it looks for keys in one server")
async def test_answers_stay_when_redis_forgets_and_go_with_the_account(tmp_path: Path) -> None:
    async with receiving() as receiver:
        with running(tmp_path, "--no-demo", **ENVIRON) as stack:
            await asyncio.to_thread(watch, stack, receiver.url)
