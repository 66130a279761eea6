"""Events at one gateway: repeats, limits, endings, and what is kept of them."""

import asyncio
import io
import json
from collections import Counter
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.store import Account, Store
from engine.telemetry.metrics import REGISTRY
from engine.triggers.occurrences import Occurrence
from engine.triggers.trigger import Respond, Trigger, VerifyKind
from tests.gateway.hooks.conftest import SECRET, MakeHook, Sender
from tests.support.gateway.fake_worker import EngineFails, FakeWorker, NodeFails
from tests.support.store.redis_contents import contents
from tests.support.triggers.signatures import signed

AT_ONCE = 20
LIMIT = 100
"""Runs of a Pro account in a minute."""


async def occurrences(store: Store, trigger: Trigger) -> list[Occurrence]:
    page = await store.occurrences.list(trigger.account_id, trigger.id, None, 500)
    return list(page.occurrences)


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.A95b
async def test_an_event_sent_twenty_times_at_once_starts_one_run(
    store: Store, make_hook: MakeHook, sender: Sender, worker: FakeWorker
) -> None:
    trigger = await make_hook(event_id="body.id")

    answers = await asyncio.gather(
        *(sender.send(trigger, {"name": "Ada", "id": "1"}) for _ in range(AT_ONCE))
    )

    assert Counter(each.status_code for each in answers) == {202: 1, 200: AT_ONCE - 1}
    [execution_id] = {each.json()["executionId"] for each in answers}
    [row] = await occurrences(store, trigger)
    assert row.execution_id == execution_id


@pytest.mark.A95e
async def test_events_beyond_the_rate_of_runs_are_429_and_may_come_again(
    store: Store, young_window: None, make_hook: MakeHook, sender: Sender, worker: FakeWorker
) -> None:
    trigger = await make_hook(event_id="body.id", when="body.id != 'skip'")
    plain = await make_hook(inputs={"name": "body.name"})
    first = await sender.send(plain, None, {"webhook-id": "1"})
    for number in range(3):
        assert (await sender.send(trigger, {"name": "Ada", "id": "skip"})).status_code == 200
        answer = await sender.send(trigger, {"name": "Ada", "id": f"{number}"})
        assert answer.status_code == 202
    assert answer.headers["x-ratelimit-remaining"] == str(LIMIT - 4)
    assert code(await sender.send(trigger, {"id": "wrong"})) == (400, "INVALID_INPUTS")
    events = [{"name": "Ada", "id": f"more {number}"} for number in range(LIMIT)]

    answers = await asyncio.gather(*(sender.send(trigger, each) for each in events))

    assert Counter(each.status_code for each in answers) == {202: LIMIT - 5, 429: 5}
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.json()["retryAfter"] == int(refused.headers["retry-after"])
    assert refused.headers["x-ratelimit-remaining"] == "0"
    found = Counter(each.status.value for each in await occurrences(store, trigger))
    assert found == {"started": LIMIT - 2, "skipped": 3, "failed": 1}
    assert (await sender.send(trigger, {"id": "skip"})).json() == {"skipped": True}
    assert (await sender.send(trigger, {"name": "Ada", "id": "0"})).status_code == 200
    assert code(await sender.send(trigger, {"id": "wrong"})) == (429, "RATE_LIMIT_EXCEEDED")
    assert code(await sender.send(plain, [])) == (429, "RATE_LIMIT_EXCEEDED")
    again = await sender.send(plain, None, {"webhook-id": "1"})
    assert again.json() == {"executionId": first.json()["executionId"]}


async def test_events_are_counted_by_their_outcome(
    make_hook: MakeHook, sender: Sender, worker: FakeWorker
) -> None:
    def counted() -> list[float]:
        outcomes = (("started", ""), ("skipped", "condition_false"), ("failed", "invalid_inputs"))
        names = ("kind", "status", "reason")
        labels = (dict(zip(names, ("webhook", *each), strict=True)) for each in outcomes)
        name = "headrace_trigger_occurrences_total"
        return [REGISTRY.get_sample_value(name, each) or 0 for each in labels]

    trigger, before = await make_hook(when="body.wanted"), counted()
    for body in ({"wanted": True, "name": "a"}, {"wanted": False}, {"wanted": True}, {}):
        await sender.send(trigger, body)

    assert [after - old for after, old in zip(counted(), before, strict=True)] == [1, 1, 2]


async def test_events_of_an_account_that_is_not_approved_fail(
    store: Store, slug: str, make_hook: MakeHook, sender: Sender
) -> None:
    pending = await store.accounts.create(email="eve@example.com", tier=Tier.PRO, approved=False)
    trigger = await make_hook(owner=pending)

    assert code(await sender.send(trigger)) == (403, "ACCOUNT_NOT_APPROVED")

    [row] = await occurrences(store, trigger)
    assert (row.status.value, row.reason) == ("failed", "account_not_approved")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NodeFails("text", "It broke"), (500, "EXECUTION_FAILED")),
        (EngineFails(), (500, "INTERNAL_ERROR")),
        ({"text": "done"}, (200, "")),
    ],
)
async def test_a_result_is_that_of_a_run(
    make_hook: MakeHook, sender: Sender, worker: FakeWorker, outcome: Any, expected: Any
) -> None:
    worker.outcome = lambda _: outcome
    trigger = await make_hook(respond=Respond.RESULT)

    answer = await sender.send(trigger)

    assert code(answer) == expected
    assert "executionId" in answer.json()


async def test_a_waiting_sender_hears_of_a_cancelled_run(
    client: httpx2.AsyncClient, make_hook: MakeHook, sender: Sender
) -> None:
    trigger = await make_hook(respond=Respond.RESULT)
    waiting = asyncio.create_task(sender.send(trigger))
    rows: list[Any] = []
    while not rows:
        rows = (await client.get(f"/api/executions?triggerId={trigger.id}")).json()["rows"]

    await client.post(f"/api/executions/{rows[0]['executionId']}/cancel")

    assert code(await waiting) == (409, "EXECUTION_CANCELLED")


async def test_a_sender_that_hangs_up_leaves_its_run(
    client: httpx2.AsyncClient,
    make_hook: MakeHook,
    sender: Sender,
    worker: FakeWorker,
    logged: io.StringIO,
) -> None:
    worker.is_idle = True
    trigger = await make_hook(respond=Respond.RESULT)
    path = f"/api/executions?triggerId={trigger.id}"
    waiting = asyncio.create_task(sender.send(trigger))
    while not (await client.get(path)).json()["rows"]:
        await asyncio.sleep(0.01)

    waiting.cancel()
    worker.is_idle = False

    while (await client.get(path)).json()["rows"][0]["status"] != "completed":
        await asyncio.sleep(0.01)
    assert '"level":"error"' not in logged.getvalue()


async def test_a_repeated_event_is_not_waited_for(
    make_hook: MakeHook, sender: Sender, worker: FakeWorker
) -> None:
    trigger = await make_hook(respond=Respond.RESULT, event_id="body.id")
    first = await sender.send(trigger, {"name": "Ada", "id": "1"})

    again = await sender.send(trigger, {"name": "Ada", "id": "1"})

    assert (first.status_code, first.json()["result"]) == (200, {"text": "Ada"})
    assert (again.status_code, again.json()) == (200, {"executionId": first.json()["executionId"]})
    assert again.headers["idempotent-replayed"] == "true"


async def test_only_the_newest_hundred_skipped_events_are_kept(
    store: Store, make_hook: MakeHook, sender: Sender
) -> None:
    trigger = await make_hook(when="false")

    for _ in range(6):
        await asyncio.gather(*(sender.send(trigger) for _ in range(20)))

    assert len(await occurrences(store, trigger)) == 100
    assert (await store.triggers.get(trigger.account_id, trigger.id)).skipped == 120


@pytest.mark.A98e
@pytest.mark.parametrize("kind", [each for each in VerifyKind if each is not VerifyKind.NONE])
async def test_neither_secrets_nor_urls_are_kept_or_logged(
    store: Store,
    make_hook: MakeHook,
    sender: Sender,
    worker: FakeWorker,
    logged: io.StringIO,
    kind: VerifyKind,
) -> None:
    trigger = await make_hook(kind, when="body.name != 'skip'")
    token = trigger.token or ""
    proofs = set()
    for name in ("Ada", "skip", ""):
        body = json.dumps({"name": name}).encode()
        headers = signed(kind, SECRET, body)
        proofs |= {value.rpartition("=")[2].rpartition(",")[2] for value in headers.values()}
        await sender.send(trigger, body, headers)
        await sender.send(trigger, body)
    await sender.client.post(f"/hooks/{token}/more", json={})
    is_repeated = kind is VerifyKind.STANDARD_WEBHOOKS  # its header has the same id again
    assert len(await occurrences(store, trigger)) == 3 - is_repeated

    kept = repr(await contents(store.client)) + logged.getvalue()

    hidden = {SECRET, token, *(each for each in proofs if len(each) > 12)}
    assert [each for each in hidden if each in kept] == []


async def test_events_wait_for_the_store_without_harm(
    store: Store, make_hook: MakeHook, sender: Sender, account: Account
) -> None:
    trigger = await make_hook(event_id="body.id")
    await store.client.send("CONFIG", "SET", "maxmemory", "1")
    try:
        refused = await sender.send(trigger, {"name": "Ada", "id": "1"})
    finally:
        await store.client.send("CONFIG", "SET", "maxmemory", "0")

    assert code(refused) == (503, "UNAVAILABLE")
    assert (await sender.send(trigger, {"name": "Ada", "id": "1"})).status_code == 202
