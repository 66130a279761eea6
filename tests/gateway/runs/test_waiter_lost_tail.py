"""Redis loses its latest writes while callers wait for executions and watch them."""

import asyncio

import httpx2

from engine.executions.statuses import ExecutionStatus
from engine.store import Account, Store
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.http.sse_reader import SentEvent, parse
from tests.support.redis.rewind import rewind, take_snapshot
from tests.support.store.records import BOTH_DONE, FIRST_DONE, SECOND_DONE, save
from tests.support.store.watched_runs import Run

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


async def test_who_waits_for_a_run_that_was_lost_is_told_so_and_may_run_it_again(
    client: httpx2.AsyncClient, store: Store
) -> None:
    await client.post("/api/workflows", json=greeting())
    earlier = await take_snapshot(store.client)
    headers = {"idempotency-key": "once"}
    run = asyncio.create_task(client.post(RUN, json=ASK, headers=headers))
    accepted = await eventually(lambda: store.client.send("KEYS", "*:execution:*"))
    await rewind(store.client, earlier)

    answer = await run

    body = answer.json()
    assert (answer.status_code, body["code"]) == (503, "UNAVAILABLE")
    assert accepted[0].decode().endswith(body["executionId"])
    assert int(answer.headers["retry-after"]) > 0
    again = await client.post(RUN, params={"async": "true"}, json=ASK, headers=headers)
    assert again.status_code == 202


async def test_who_has_watched_what_was_lost_is_told_all_that_is_on_record(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    run = Run(store, account, await save(store, account))
    await run.accept()
    await run.claim()
    path = f"/api/executions/{run.id}/events"
    await run.step(claimed=[0])
    await run.seen()
    earlier = await take_snapshot(store.client)
    await run.step(settled=FIRST_DONE)
    await run.step(claimed=[1])
    await run.step(settled=SECOND_DONE)
    observed = await run.seen()
    await rewind(store.client, earlier)
    run.forget_steps(3)
    await run.step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED, result=b"\xc0")

    answer = await client.get(path, headers={"last-event-id": observed[-1][0]})

    events = parse(answer.text)
    assert [observed[0], observed[-1]] == [("1.1", "execution.started"), ("4.1", "node.finished")]
    assert [each.name for each in events] == [
        "execution.started",
        "node.started",
        "node.finished",
        "node.started",
        "node.finished",
        "execution.finished",
    ]
    assert await after(client, path, events[-1]) == 204


async def after(client: httpx2.AsyncClient, path: str, last: SentEvent) -> int:
    """Return the status of an answer after an event."""
    return (await client.get(path, headers={"last-event-id": last.id})).status_code
