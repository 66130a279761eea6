"""Runs that end are counted for the canary of their alias, once, by the script that ends them."""

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.releases.run_counts import CanaryCounts
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.info import read_now
from engine.store.releases.canary_keys import canaries_due, open_canaries
from engine.store.releases.keys import canary_counts
from tests.support.releases.ended_releases import BESIDE, OWN, EndedReleases
from tests.support.store.claims import advance, claim
from tests.support.store.records import BOTH_DONE
from tests.support.waits.runs import WaitRuns


@pytest.fixture
async def releases(store: Store, account: Account) -> EndedReleases:
    return await EndedReleases.of(store, account)


async def look_in_ms(store: Store, account: Account, slug: str) -> int:
    """Return the time until the look at a workflow, which is that at its account."""
    at = await store.client.send("ZSCORE", open_canaries(account.id), slug)
    due = await store.client.send("ZSCORE", canaries_due(partition_of(account.id)), account.id)
    assert due == at
    return int(at) - await read_now(store.client)


async def test_a_run_of_the_canary_makes_a_look_due_and_one_beside_it_a_late_one(
    releases: EndedReleases, store: Store, account: Account
) -> None:
    await releases.complete(BESIDE)
    assert await look_in_ms(store, account, releases.slug) > 3_000_000

    await releases.complete(OWN)
    assert await look_in_ms(store, account, releases.slug) <= 0

    await releases.complete("two:l")
    assert await look_in_ms(store, account, releases.slug) <= 0


async def test_other_runs_cancelled_ones_and_failures_of_others_do_not_count_against_it(
    releases: EndedReleases, store: Store
) -> None:
    await releases.complete(None)
    assert await releases.counts() == {}

    await store.executions.cancel(*keyspace.parse_reference(await releases.accept(OWN)))
    await releases.end(OWN, ExecutionStatus.CANCELLED)
    assert await releases.counts() == {}

    await releases.end(OWN, ExecutionStatus.FAILED, "INSUFFICIENT_CREDITS")
    [counts] = (await releases.counts()).values()
    assert (counts.canary.runs, counts.canary.failed) == (1, 0)


async def test_a_run_that_was_walked_without_a_claim_is_counted_once(
    releases: EndedReleases,
) -> None:
    reference = await releases.accept(OWN)

    assert await releases.ending.finish(reference) is not None
    assert await releases.ending.finish(reference) is not None

    [counts] = (await releases.counts()).values()
    assert counts.canary.runs == 1


async def test_a_step_that_is_sent_again_counts_once(releases: EndedReleases, store: Store) -> None:
    reference = await releases.accept(OWN)
    claimed = await store.walks.claim(reference, "w1")
    assert claimed is not None
    step = Step(
        settled=list(BOTH_DONE),
        end=ExecutionStatus.COMPLETED,
        slug=releases.slug,
        has_release=True,
    )

    for _ in range(3):
        await advance(store, claimed, 1, step)

    [counts] = (await releases.counts()).values()
    assert counts.canary.runs == 1


async def test_the_duration_of_a_run_leaves_waits_out(runs: WaitRuns, store: Store) -> None:
    record = keyspace.execution(runs.account.id, runs.root_id)
    await store.client.send("HSET", record, "release", OWN)
    await runs.ask()
    since, started = await store.client.send("HMGET", record, "only_waits", "started")
    minute_ago = (int(since) - 60_000, int(started) - 60_000)
    await store.client.send("HSET", record, "only_waits", minute_ago[0], "started", minute_ago[1])
    claimed = await claim(store, f"{runs.account.id}/{runs.root_id}")
    slug = runs.workflow.slug
    step = Step(end=ExecutionStatus.FAILED, error={"code": "X"}, slug=slug, has_release=True)

    await advance(store, claimed, 1, step)

    counts = parse_hash(await store.client.send("HGETALL", canary_counts(runs.account.id, slug)))
    [found] = CanaryCounts.parse_all(counts).values()
    longest = found.canary.quantile_ms(1)
    assert longest is not None
    assert longest < 30_000


async def test_waits_of_other_runs_are_marked_as_before(runs: WaitRuns, store: Store) -> None:
    await runs.ask()

    record = keyspace.execution(runs.account.id, runs.root_id)
    assert await store.client.send("HGET", record, "only_waits") == b"1"
