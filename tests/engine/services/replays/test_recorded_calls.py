"""Books made of earlier executions."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import InvalidBody
from engine.executions.replays import ReplayCalls
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.history.database.connections import Database
from engine.services.media import MediaService
from engine.services.replays.books import Book
from engine.services.replays.recorded_calls import book_fields, make_book
from engine.services.replays.replayed_executions import ReplayedExecution
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.seed_values import SeedValues
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.redis.record_packing import unpack
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.history.archived import opened
from tests.support.replays.ended_calls import DONE, ended_call

NEW = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def seeds(settings: Settings, store: Store, account: Account) -> SeedValues:
    media = MediaService.from_settings(settings, store)
    return SeedValues(store, AssetUse(media, account.id, NEW), InvalidBody("gone"))


async def former(store: Store, account: Account, *, fails: bool = False) -> ReplayedExecution:
    slug, execution_id = await ended_call(store, account, None if fails else DONE)
    return await ReplayedExecution.read(store, account.id, slug, execution_id)


async def test_a_book_has_the_outputs_of_calls_and_not_of_pure_nodes(
    store: Store, account: Account, seeds: SeedValues
) -> None:
    book = await make_book(
        await former(store, account), ReplayCalls.RECORDED, seeds, lambda value: None
    )

    [outcome] = book.outcomes
    assert (outcome.node_id, outcome.wired, outcome.error) == ("call", ("response-out",), None)
    assert isinstance(outcome.outputs, bytes)
    assert unpack(outcome.outputs) == DONE
    assert set(book_fields(book, ReplayCalls.RECORDED, seeds)) == {"calls", "book"}
    assert seeds.store_objects is None


async def test_a_book_has_failures(store: Store, account: Account, seeds: SeedValues) -> None:
    failed = await former(store, account, fails=True)

    [outcome] = (await make_book(failed, ReplayCalls.RECORDED, seeds, lambda _: None)).outcomes

    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.outputs) == ("http_status", None)


async def test_with_live_calls_nothing_is_recorded(
    store: Store, account: Account, seeds: SeedValues
) -> None:
    book = await make_book(
        await former(store, account), ReplayCalls.LIVE, seeds, lambda value: None
    )

    assert book.outcomes == book.answers == ()
    assert book_fields(book, ReplayCalls.LIVE, seeds) == {"calls": "live"}


async def test_an_account_with_many_large_runs_leaves_room_for_others(
    store: Store, account: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = await former(store, account)
    other = await store.accounts.create(email="other@example.com", tier=Tier.PRO)
    neighbour = await former(store, other)
    held = asyncio.Event()
    read = ReplayedExecution.read_progress

    async def read_slowly(self: ReplayedExecution, plan: Plan) -> Progress:
        if self.account_id == account.id:
            await held.wait()
        return await read(self, plan)

    monkeypatch.setattr(ReplayedExecution, "read_progress", read_slowly)

    def make(of: ReplayedExecution) -> Coroutine[Any, Any, Book]:
        use = AssetUse(MediaService.from_settings(settings, store), of.account_id, NEW)
        new = SeedValues(store, use, InvalidBody("gone"))
        return make_book(of, ReplayCalls.RECORDED, new, lambda value: None)

    waiting = [asyncio.create_task(make(greedy)) for _ in range(8)]
    book = await asyncio.wait_for(make(neighbour), PATIENCE_SECONDS)

    assert (len(book.outcomes), any(each.done() for each in waiting)) == (1, False)
    held.set()
    assert [len((await each).outcomes) for each in waiting] == [1] * 8


async def test_an_archived_execution_has_the_same_book(
    account: Account, seeds: SeedValues, settings: Settings, database: Database
) -> None:
    async with opened(settings, database) as history:
        store = history.store
        living = await former(store, account)
        book = await make_book(living, ReplayCalls.RECORDED, seeds, lambda value: None)
        await history.move(keyspace.reference(account.id, living.id))
        slug = living.record["slug"].decode()
        archived = await ReplayedExecution.read(store, account.id, slug, living.id)

        assert await store.client.send("EXISTS", keyspace.execution(account.id, living.id)) == 0
        assert await make_book(archived, ReplayCalls.RECORDED, seeds, lambda value: None) == book
