"""Looks at canaries: none is forgotten while runs of a canary end, and counts go in the end."""

import pytest

from engine.store import Account, Store
from engine.store.redis.info import read_now
from engine.store.releases.canaries import KEPT_ENDED_MS, LOOK_AGAIN_MS
from engine.store.releases.canary_keys import open_canaries
from engine.store.releases.keys import canary_counts
from tests.support.releases.canaries import WatchedWorkflow
from tests.support.releases.ended_releases import BESIDE, OWN


@pytest.fixture
async def watched(store: Store, account: Account) -> WatchedWorkflow:
    return await WatchedWorkflow.of(store, account)


async def next_look(watched: WatchedWorkflow) -> int | None:
    key = open_canaries(watched.account.id)
    at = await watched.store.client.send("ZSCORE", key, watched.slug)
    return None if at is None else int(at)


async def look(watched: WatchedWorkflow, now: int, *, ends_meanwhile: bool = False) -> list[str]:
    canaries, account_id = watched.store.canaries, watched.account.id
    taken = await canaries.take(account_id, now)
    for slug in taken:
        found = await canaries.read(account_id, slug)
        if ends_meanwhile:
            await watched.releases.complete(OWN)
        await canaries.settle(account_id, slug, found, now)
    return list(taken)


async def test_a_look_is_postponed_until_another_run_of_the_canary_ends(
    watched: WatchedWorkflow, store: Store
) -> None:
    await watched.releases.complete(OWN)
    now = await read_now(store.client)

    assert await look(watched, now) == [watched.slug]
    assert await next_look(watched) == now + LOOK_AGAIN_MS
    assert await look(watched, now + 1_000) == []

    await watched.releases.complete(OWN)

    assert await look(watched, await read_now(store.client)) == [watched.slug]


async def test_a_run_that_ends_during_a_look_makes_another_one_due(
    watched: WatchedWorkflow, store: Store
) -> None:
    await watched.releases.complete(OWN)

    await look(watched, await read_now(store.client), ends_meanwhile=True)

    assert await look(watched, await read_now(store.client)) == [watched.slug]


async def test_a_look_that_breaks_off_is_taken_again(
    watched: WatchedWorkflow, store: Store
) -> None:
    await watched.releases.complete(OWN)
    now = await read_now(store.client)
    assert await store.canaries.take(watched.account.id, now) == [watched.slug]

    assert await store.canaries.take(watched.account.id, now + 1_999) == []
    assert await store.canaries.take(watched.account.id, now + 2_000) == [watched.slug]


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_counts_are_kept_for_a_day_after_the_end_of_a_canary(
    watched: WatchedWorkflow, store: Store, is_deleted: bool
) -> None:
    key = canary_counts(watched.account.id, watched.slug)
    for release in (OWN, BESIDE):
        await watched.releases.complete(release)
    if is_deleted:
        await store.workflows.delete(watched.account.id, watched.slug)
    else:
        await watched.set_canary(canary=None)
    now = await read_now(store.client)

    await look(watched, now)
    assert await next_look(watched) == now + KEPT_ENDED_MS
    counts = await store.canaries.counts(watched.account.id, watched.slug, "one")
    assert (counts.canary.runs, counts.live.runs, counts.over_since) == (1, 1, now)

    await look(watched, now + KEPT_ENDED_MS)
    assert await store.client.send("EXISTS", key) == 0
    assert await next_look(watched) is None


async def test_a_canary_without_runs_has_no_counts(watched: WatchedWorkflow) -> None:
    counts = await watched.store.canaries.counts(watched.account.id, watched.slug, "one")

    assert (counts.canary.runs, counts.live.runs, counts.over_since) == (0, 0, None)
