"""Executions that are claimed and completed in one step, after a walk without a claim."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from engine.executions.rows import NodeRow, StepRows, pack_rows
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.store import Account, CompletionNotifier, Store, Workflow
from engine.store.dispatch.hints import InlineRun, parse_inline_run
from engine.store.dispatch.queue_selector import BULK_FROM
from engine.store.executions.advance import UnclaimedWalk
from engine.store.redis import keyspace, process_keys
from engine.store.redis.address import RedisAddress
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.store.authorizations import outdated_authorization
from tests.support.store.records import (
    ECHO_DIGEST,
    NotAccepted,
    accept,
    document,
    save,
)
from tests.support.store.redis_contents import contents

Saved = tuple[Workflow, Plan]
INPUTS = {"text": "hi"}
FINISHED = UnclaimedWalk(
    inline_run=InlineRun(slug="echo", version=1, inputs=pack(INPUTS)),
    codes="cc",
    rows=pack_rows(StepRows([NodeRow(0, 1, 0, 3), NodeRow(1, 1, 3, 4)])),
    result=pack({"text": "done"}),
    elapsed_ms=9,
    plan=ECHO_DIGEST,
)


@pytest.fixture
async def saved(store: Store, account: Account) -> Saved:
    return await save(store, account)


async def begin(store: Store, account: Account, saved: Saved, **options: Any) -> str:
    """Accept an execution with options of `accept`; return its reference."""
    accepted = await accept(store, account, *saved, **{"inputs": INPUTS, **options})
    return keyspace.reference(account.id, accepted.id)


async def finish(store: Store, reference: str, token: str, finished: UnclaimedWalk) -> bool:
    """Ask the store to end a run; return whether it has."""
    answer = await store.walks.finish(reference, token, finished)
    return store.walks.take_finished(reference, answer) is not None


async def hints(store: Store, queue: str = "walk") -> list[InlineRun | None]:
    found = await store.client.send("LRANGE", process_keys.hints(queue), 0, -1)
    return [parse_inline_run(hint) for hint in found]


async def test_a_walked_run_is_recorded_as_if_it_had_been_claimed(
    store: Store, account: Account, saved: Saved
) -> None:
    reference = await begin(store, account, saved)

    assert await finish(store, reference, "token", FINISHED)

    execution = await store.executions.get(account.id, keyspace.parse_reference(reference)[1])
    started = execution.started_at
    assert started is not None
    assert (execution.status, execution.result) == (ExecutionStatus.COMPLETED, {"text": "done"})
    assert (execution.error, execution.credits_cost) == (None, 0)
    assert execution.created_at <= started <= (execution.completed_at or 0)
    assert [node.status for node in execution.nodes] == [NodeStatus.COMPLETED] * 2
    assert [node.started_at for node in execution.nodes] == [started, started + 3]
    assert [(node.attempts, node.duration_ms) for node in execution.nodes] == [(1, 3), (1, 4)]
    assert await store.leases.due() == 0
    assert await store.executions.find_bulk_accounts([account.id]) == set()
    assert await store.walks.claim(reference, "w1") is None


async def test_a_walk_took_as_long_as_its_worker_says_but_not_since_before_it_was_accepted(
    store: Store, account: Account, saved: Saved
) -> None:
    reference = await begin(store, account, saved)

    await finish(store, reference, "token", replace(FINISHED, elapsed_ms=10**9))

    execution = await store.executions.get(account.id, keyspace.parse_reference(reference)[1])
    assert execution.started_at == execution.created_at


async def test_the_notification_carries_the_outcome(
    store: Store, account: Account, saved: Saved, redis_url: str
) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        reference = await begin(store, account, saved, notifier=notifier.channel)
        with notifier.expecting(keyspace.parse_reference(reference)[1]) as completion:
            await finish(store, reference, "token", FINISHED)

            async def rung() -> bool | None:
                return completion.was_notified or None

            assert await completion.wait(rung, 5)
            assert completion.outcome is not None
            assert completion.outcome.result == {"text": "done"}


async def test_a_second_walk_changes_nothing(store: Store, account: Account, saved: Saved) -> None:
    reference = await begin(store, account, saved)
    await finish(store, reference, "token", FINISHED)
    before = await contents(store.client)
    other = replace(FINISHED, result=pack("other"))

    again = await finish(store, reference, "token", FINISHED)
    late = await finish(store, reference, "another", other)

    assert (again, late) == (True, False)
    assert await contents(store.client) == before


@pytest.mark.parametrize(
    "inline_run",
    [
        structs.replace(FINISHED.inline_run, slug="echo-2"),
        structs.replace(FINISHED.inline_run, version=2),
        structs.replace(FINISHED.inline_run, inputs=pack({"text": "ho"})),
    ],
)
async def test_a_different_record_is_left_to_the_claim(
    inline_run: InlineRun, store: Store, account: Account, saved: Saved
) -> None:
    reference = await begin(store, account, saved)
    before = await contents(store.client)

    assert not await finish(store, reference, "token", replace(FINISHED, inline_run=inline_run))

    assert await contents(store.client) == before
    assert await store.walks.claim(reference, "w1") is not None


async def test_a_plan_of_another_release_is_left_to_the_claim(
    store: Store, account: Account, saved: Saved
) -> None:
    reference = await begin(store, account, saved)
    before = await contents(store.client)

    assert not await finish(store, reference, "token", replace(FINISHED, plan="another_"))

    assert await contents(store.client) == before


async def test_a_record_of_a_later_format_is_left_to_the_claim_and_one_of_0_1_0_is_not(
    store: Store, account: Account, saved: Saved
) -> None:
    later, former = [await begin(store, account, saved) for _ in range(2)]
    keys = [keyspace.execution(*keyspace.parse_reference(each)) for each in (later, former)]
    await store.client.send("HINCRBY", keys[0], "format", 1)
    await store.client.send("HDEL", keys[1], "format", "plan")

    assert not await finish(store, later, "token", FINISHED)
    assert await finish(store, former, "token", FINISHED)


async def test_an_execution_with_a_claim_is_left_to_the_claim(
    store: Store, account: Account, saved: Saved
) -> None:
    reference = await begin(store, account, saved)
    await store.walks.claim(reference, "w1")
    held = await finish(store, reference, "token", FINISHED)
    await store.walks.give_back(reference, "w1", is_lost=True)

    assert (held, await finish(store, reference, "token", FINISHED)) == (False, False)


async def test_a_cancelled_or_missing_execution_is_not_ended_again(
    store: Store, account: Account, saved: Saved
) -> None:
    reference = await begin(store, account, saved)
    execution_id = keyspace.parse_reference(reference)[1]
    await store.executions.cancel(account.id, execution_id)

    assert not await finish(store, reference, "token", FINISHED)
    assert not await finish(store, f"{account.id}/nothing", "token", FINISHED)

    head = await store.executions.head(account.id, execution_id)
    assert head.status is ExecutionStatus.CANCELLED


async def test_an_execution_with_a_webhook_charges_or_watchers_is_left_to_the_claim(
    store: Store, account: Account, saved: Saved
) -> None:
    told = await begin(store, account, saved, webhook_url="https://example.com/")
    charged = await begin(store, account, saved)
    key = keyspace.execution(*keyspace.parse_reference(charged))
    await store.client.send("HSET", key, "terms", "50:0:86400000")
    watched = await begin(store, account, saved, watcher="channel")

    assert not await finish(store, watched, "token", FINISHED)
    assert not await finish(store, told, "token", FINISHED)
    assert not await finish(store, charged, "token", FINISHED)


async def test_a_hint_carries_a_small_run_of_pure_nodes(
    store: Store, account: Account, saved: Saved
) -> None:
    await begin(store, account, saved)

    assert await hints(store) == [FINISHED.inline_run]


async def test_a_hint_carries_no_large_or_watched_run(
    store: Store, account: Account, saved: Saved
) -> None:
    await begin(store, account, saved, webhook_url="https://example.com/")
    await begin(store, account, saved, watcher="channel")
    await begin(store, account, saved, inputs={"text": "x" * 5_000})

    assert await hints(store) == [None, None, None]


async def test_a_hint_carries_nothing_of_nodes_that_are_not_pure(
    store: Store, account: Account
) -> None:
    calls = [{"id": "c", "type": "httpRequest", "data": {"url": "https://example.com/"}}]
    plain = document()
    wire = {"id": "w", "source": "c", "sourceHandle": "response-out"}
    wire |= {"target": "out", "targetHandle": "result-in"}
    mixed = replace(plain, nodes=[*plain.nodes, *calls], edges=[*plain.edges, wire])
    workflow = await store.workflows.create(account.id, mixed, [])
    _, plan = await store.workflows.plan_of(account.id, workflow.slug, 1)
    await begin(store, account, (workflow, plan))

    assert await hints(store) == [None]


async def test_runs_that_are_refused_after_a_refusal_send_no_hint(
    store: Store, account: Account, saved: Saved
) -> None:
    for _ in range(3):
        with pytest.raises(NotAccepted, match="AuthorizationRejected"):
            await begin(
                store, account, saved, authorization=await outdated_authorization(store, account)
            )
    assert await hints(store) == [FINISHED.inline_run]

    await begin(store, account, saved)
    await eventually(store.hints.depth, lambda depth: depth == 2)

    assert await hints(store) == [FINISHED.inline_run] * 2


async def test_a_hint_that_has_to_wait_carries_short_inputs_alone(
    store: Store, account: Account, saved: Saved
) -> None:
    for _ in range(BULK_FROM):
        await begin(store, account, saved)
    await begin(store, account, saved)
    await begin(store, account, saved)
    await begin(store, account, saved, inputs={"text": "x" * 600})
    await eventually(store.hints.depth, lambda depth: depth == BULK_FROM + 3)

    assert await hints(store, "bulk") == [FINISHED.inline_run, None]
