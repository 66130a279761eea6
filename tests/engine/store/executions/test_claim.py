"""Claims of executions, and fencing of walks that have lost theirs."""

import asyncio

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.claim import parse_claims
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.claims import advance, claim, due_at, row
from tests.support.store.records import FIRST_DONE
from tests.support.store.redis_contents import contents


@pytest.mark.F32
async def test_a_held_execution_is_not_given_to_anybody_else(store: Store, reference: str) -> None:
    await claim(store, reference, "w1")

    assert await store.walks.claim(reference, "w2") is None
    assert await store.walks.claim(reference, "w1") is None


async def test_a_claim_with_the_same_token_is_the_same_claim(store: Store, reference: str) -> None:
    first = await claim(store, reference, token="t")
    again = await claim(store, reference, token="t")

    assert again.fence == first.fence
    assert again.statuses == first.statuses


@pytest.mark.F32
async def test_of_twenty_claims_at_once_one_wins(store: Store, reference: str) -> None:
    claims = await asyncio.gather(
        *(store.walks.claim(reference, f"w{number}") for number in range(20))
    )

    assert sum(claimed is not None for claimed in claims) == 1


async def test_an_unknown_execution_cannot_be_claimed(store: Store, account: Account) -> None:
    assert await store.walks.claim(keyspace.reference(account.id, "nothing"), "w1") is None
    with pytest.raises(ValueError):
        await store.walks.claim("no reference", "w1")


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_claim_removes_an_ended_or_missing_execution_from_the_due_ones(
    store: Store, account: Account, reference: str, is_there: bool
) -> None:
    """Otherwise its hint would be repeated forever."""
    claimed = await claim(store, reference)
    await advance(store, claimed, 1, Step(end=ExecutionStatus.CANCELLED))
    name = reference if is_there else keyspace.reference(account.id, "gone")
    due = keyspace.due(partition_of(account.id))
    await store.client.send("ZADD", due, 1, name)

    assert await store.walks.claim(name, "w2") is None
    assert await due_at(store, name) is None


@pytest.mark.F31
async def test_a_worker_that_lost_the_execution_is_fenced(store: Store, reference: str) -> None:
    old = await claim(store, reference, "w1")
    await advance(store, old, 1, Step(claimed=[0]))
    await store.walks.give_back(reference, "w1", is_lost=True)
    await claim(store, reference, "w2")
    before = await contents(store.client)

    verdict = await advance(store, old, 2, Step(settled=FIRST_DONE, rows=[row(0)]))

    assert verdict is Verdict.FENCED
    assert await contents(store.client) == before


async def test_a_walk_whose_worker_has_claimed_the_execution_anew_is_fenced(
    store: Store, reference: str
) -> None:
    """A worker counted as dead claims its execution again while its first walk continues."""
    old = await claim(store, reference, "w1")
    await advance(store, old, 1, Step(claimed=[0]))
    await store.walks.give_back(reference, "w1", is_lost=True)
    new = await claim(store, reference, "w1")
    before = await contents(store.client)

    verdicts = [
        await advance(store, old, 2, Step(settled=FIRST_DONE, rows=[row(0)])),
        await advance(store, old, 2, Step(claimed=[0])),
        await advance(store, old, 2, Step(leave=True)),
        await advance(store, old, 2, Step(end=ExecutionStatus.COMPLETED, result=pack("old"))),
    ]

    assert verdicts == [Verdict.FENCED] * 4
    assert await contents(store.client) == before
    assert await advance(store, new, 1, Step(claimed=[0])) is Verdict.OK


async def test_losses_before_a_step_count_no_more(store: Store, reference: str) -> None:
    lost = []
    for _ in range(2):
        await claim(store, reference)
        await store.walks.give_back(reference, "w1", is_lost=True)
    claimed = await claim(store, reference)
    lost.append(claimed.lost)

    await advance(store, claimed, 1, Step(claimed=[0]))
    await store.walks.give_back(reference, "w1", is_lost=True)
    lost.append((await claim(store, reference)).lost)

    assert lost == [2, 1]


async def test_a_retry_of_a_held_execution_may_be_claimed_from_the_millisecond_it_is_due_on(
    store: Store, reference: str
) -> None:
    """Its hint is sent at that time, and would be lost if it came a millisecond too early."""
    holder = await claim(store, reference, "w1")
    await advance(store, holder, 1, Step(claimed=[0]))
    await advance(store, holder, 2, Step(retrying=[(0, 60_000)]))
    record = await store.walks.records(holder.account_id, holder.execution_id)
    due = parse_claims(record)[0].at

    early, exact = [await claim_at(store, reference, now) for now in (due - 1, due)]

    assert (early, exact) == (b"busy", b"claimed")


async def claim_at(store: Store, reference: str, now: int) -> bytes:
    """Claim at this time, in milliseconds; return the verdict."""
    account_id, execution_id = keyspace.parse_reference(reference)
    partition = partition_of(account_id)
    reply = await store.client.call(
        SCRIPTS["claim_execution"],
        execution=keyspace.execution(account_id, execution_id),
        due=keyspace.due(partition),
        held=keyspace.held(partition, "w2"),
        now=now,
        reference=reference,
        token="t",
        worker="w2",
    )
    verdict: bytes = reply[0]
    return verdict


READ = (
    *(
        "account_id",
        "call_prefix",
        "created_at",
        "depth",
        "inputs",
        "inputs_name",
        "is_draft",
        "is_seeded",
    ),
    *("keeps_outputs_apart", "lost", "model_ids", "owner_id", "statuses", "webhook"),
)


async def test_a_first_walk_keeps_of_the_record_only_what_it_reads(
    store: Store, reference: str
) -> None:
    claimed = await claim(store, reference, "w1")
    reduced = claimed.without_unread_fields()

    assert {name: getattr(reduced, name) for name in READ} == {
        name: getattr(claimed, name) for name in READ
    }
    assert not {"inputs", "statuses", "slug"} & set(reduced.record)

    await store.walks.give_back(reference, "w1", is_lost=True)
    again = await claim(store, reference, "w2")
    assert again.without_unread_fields() is again


async def test_a_first_walk_keeps_what_a_record_rarely_has(store: Store, reference: str) -> None:
    rare = {
        "depth": "5",
        "lost": "2",
        "models": "echo",
        "origin": "first",
        "owner": "acc_other",
        "key": "key_1",
        "values": "none",
        "webhook_url": "https://example.org/",
    }
    key = keyspace.execution(*keyspace.parse_reference(reference))
    for name, value in rare.items():
        await store.client.send("HSET", key, name, value)
    claimed = await claim(store, reference, "w1")

    reduced = claimed.without_unread_fields()

    assert (reduced.depth, reduced.lost, reduced.call_prefix) == (5, 2, "first")
    assert {name: getattr(reduced, name) for name in READ} == {
        name: getattr(claimed, name) for name in READ
    }
