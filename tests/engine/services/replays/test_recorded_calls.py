"""Books made of earlier executions."""

import pytest

from engine.errors import InvalidBody
from engine.executions.replays import ReplayCalls
from engine.services.media import MediaService
from engine.services.replays.recorded_calls import book_fields, make_book
from engine.services.replays.replayed_executions import ReplayedExecution
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.seed_values import SeedValues
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis.record_packing import unpack
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
