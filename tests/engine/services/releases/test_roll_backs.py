"""A canary that breaks its rule is taken back once, and events, webhooks and the history say so."""

import asyncio
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace

from engine.errors import Unavailable
from engine.services.releases.roll_backs import look_at_canaries
from engine.store import Account, Store
from engine.store.accounts.account_events import ChangeKind
from engine.store.redis.info import read_now
from engine.telemetry import metrics
from tests.support.releases.canaries import CANARY, WatchedWorkflow
from tests.support.releases.ended_releases import BESIDE, OWN

ROLLED_BACK = "canary.rolled_back"
REASON = "2 of 4 runs of version 2 failed (50 %), and at most 25 % may"


@pytest.fixture
async def watched(store: Store, account: Account) -> WatchedWorkflow:
    return await WatchedWorkflow.of(store, account)


async def look(watched: WatchedWorkflow, ahead_ms: int = 0) -> None:
    now = await read_now(watched.store.client) + ahead_ms
    taken = await watched.store.canaries.take(watched.account.id, now)
    for slug in taken:
        await look_at_canaries(watched.store, watched.account.id, slug, now)


async def spoil(watched: WatchedWorkflow) -> None:
    """End as many runs of the canary as are judged, half of them failed."""
    for _ in range(2):
        await watched.releases.complete(OWN)
        await watched.releases.fail()


@pytest.mark.F62
async def test_a_canary_whose_runs_fail_is_taken_back(watched: WatchedWorkflow) -> None:
    revision = await watched.revision()
    await watched.releases.complete(BESIDE)
    await spoil(watched)
    before = metrics.CANARIES_ROLLED_BACK.labels("errors")._value.get()

    await look(watched)

    assert await watched.canary() is None
    assert await watched.revision() == revision + 1
    [entry] = await watched.history()
    assert entry["by"] == "system"
    assert entry["reason"] == REASON
    assert entry["change"]["from"]["canary"]["id"] == "one"
    assert entry["change"]["to"] == {"version": 1, "canary": None}
    assert metrics.CANARIES_ROLLED_BACK.labels("errors")._value.get() == before + 1


async def test_an_alias_keeps_its_version(store: Store, account: Account) -> None:
    watched = await WatchedWorkflow.of(store, account, name="stable")
    await spoil(watched)

    await look(watched)

    aliases = (await store.canaries.read(account.id, watched.slug)).aliases.by_name
    assert (aliases["stable"].version, aliases["stable"].canary) == (1, None)
    assert aliases["stable"].updated_at > 1


async def test_one_that_keeps_its_rule_goes_on(watched: WatchedWorkflow) -> None:
    for _ in range(9):
        await watched.releases.complete(OWN)
    await watched.releases.fail()

    await look(watched)

    assert await watched.canary() == CANARY
    assert await watched.history() == []


@pytest.mark.F62
async def test_webhooks_that_ask_for_it_are_told_once(watched: WatchedWorkflow) -> None:
    asks = await watched.webhook(ROLLED_BACK, "execution.failed")
    others = [await watched.webhook(), await watched.webhook("execution.completed")]
    await spoil(watched)

    await asyncio.gather(look(watched), look(watched))
    await look(watched, ahead_ms=60_000)

    [(event, body)] = await watched.delivered(asks)
    assert event == body["event"] == ROLLED_BACK
    assert (body["workflowSlug"], body["alias"], body["version"]) == (watched.slug, "live", 1)
    assert (body["canary"]["version"], body["reason"]) == (2, REASON)
    assert body["counts"]["canary"]["failed"] == 2
    assert body["counts"]["live"]["runs"] == 0
    assert [await watched.delivered(each) for each in others] == [[], []]


async def test_a_disabled_webhook_and_that_of_an_expired_key_are_not_told(
    watched: WatchedWorkflow,
) -> None:
    key_id = await watched.webhook(ROLLED_BACK)
    store, account = watched.store, watched.account
    await store.webhooks.save(account.id, key_id, url="https://a.example", enabled=False)
    expiring, _ = await store.api_keys.create(
        account,
        name="old",
        capabilities=["webhook:receive"],
        expires_at=await read_now(store.client) + 60_000,
    )
    await store.webhooks.save(
        account.id, expiring.id, url="https://a.example", events=(ROLLED_BACK,)
    )
    await spoil(watched)

    await look(watched, ahead_ms=120_000)

    assert await watched.canary() is None
    assert await watched.delivered(key_id) == await watched.delivered(expiring.id) == []


async def test_readers_of_the_accounts_events_are_told(watched: WatchedWorkflow) -> None:
    store, account = watched.store, watched.account
    since = await read_now(store.client)
    await spoil(watched)
    await look(watched)
    await asyncio.sleep(0.005)

    found = await store.account_events.read_since(account.id, since)

    [event] = [each for each in found.events if each.kind is ChangeKind.CANARY]
    assert event.id == f"{watched.slug}/one"
    told = await store.canaries.told(account.id, watched.slug, "one")
    assert told is not None
    assert REASON.encode() in told


async def test_a_look_that_breaks_off_after_its_roll_back_is_repeated_without_another(
    watched: WatchedWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = await watched.webhook(ROLLED_BACK)
    await spoil(watched)
    with monkeypatch.context() as patch:
        patch.setattr(watched.store.canaries, "settle", AsyncMock(side_effect=Unavailable))
        with pytest.raises(Unavailable):
            await look(watched)

    await look(watched, ahead_ms=2_001)

    assert len(await watched.history()) == 1
    assert len(await watched.delivered(key_id)) == 1


@pytest.mark.F62
async def test_a_canary_that_was_replaced_meanwhile_is_left_alone(
    watched: WatchedWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spoil(watched)
    another = replace(CANARY, id="two")
    receivers = watched.store.canaries.receivers

    async def replace_first(account_id: str, key_ids: list[str]) -> dict[str, str]:
        await watched.set_canary(canary=another)
        return await receivers(account_id, key_ids)

    monkeypatch.setattr(watched.store.canaries, "receivers", replace_first)

    await look(watched)

    assert await watched.canary() == another
    assert await watched.history() == []
