"""Replays and test runs on record: apart from batches, with verdicts, until their removal."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import BatchNotFound, QuotaExceeded, ReplayNotFound
from engine.executions.batches import MAX_OPEN_LISTS, BatchKind
from engine.ids.executions import item_execution_id
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.batches.run_lists import NO_VERDICT, ItemVerdict
from engine.store.executions.new_execution import BatchItem
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.record_packing import pack
from tests.support.lists.store_lists import Lists
from tests.support.store.records import accept, save

LARGE = "x" * 300_000
LATER = 2**52


@pytest.fixture
async def lists(store: Store, account: Account) -> Lists:
    await save(store, account, "echo")
    return Lists(store, account)


async def test_lists_of_each_kind_are_listed_apart(lists: Lists) -> None:
    store, account_id = lists.store, lists.account.id
    replays = []
    for _ in range(3):
        replays.append(await lists.begin())
        await asyncio.sleep(0.002)  # lists of one millisecond are in the order of their ids
    tests = await lists.begin(BatchKind.TESTS)
    batch = await lists.begin(BatchKind.BATCH)

    assert await lists.ids(BatchKind.REPLAY) == replays[::-1]
    assert await lists.ids(BatchKind.TESTS) == [tests]
    assert [each.id for each in (await store.batches.page(account_id, 10)).batches] == [batch]
    first = await store.lists.page(account_id, BatchKind.REPLAY, "", limit=2)
    rest = await store.lists.page(
        account_id, BatchKind.REPLAY, "", limit=2, cursor=first.next_cursor
    )
    assert [[each.id for each in page.batches] for page in (first, rest)] == [
        [replays[2], replays[1]],
        [replays[0]],
    ]
    assert rest.next_cursor is None


async def test_a_list_is_found_by_its_kind_alone(lists: Lists) -> None:
    store, account_id = lists.store, lists.account.id
    replay, tests = await lists.begin(), await lists.begin(BatchKind.TESTS)

    found = await store.lists.get(account_id, replay, BatchKind.REPLAY, ReplayNotFound)
    assert (found.id, found.kind) == (replay, BatchKind.REPLAY)
    with pytest.raises(BatchNotFound):
        await store.batches.get(account_id, replay)
    for wrong in (tests, "no-id", replay.replace(replay[0], "0" if replay[0] != "0" else "1", 1)):
        with pytest.raises(ReplayNotFound):
            await store.lists.get(account_id, wrong, BatchKind.REPLAY, ReplayNotFound)
    with pytest.raises(ReplayNotFound):
        await store.lists.get("another", replay, BatchKind.REPLAY, ReplayNotFound)


async def test_facts_and_values_are_those_of_the_start(
    settings: Settings, lists: Lists, tmp_path: Path
) -> None:
    store, account_id = Store.open(settings, ObjectStore(tmp_path.as_uri())), lists.account.id
    lists.store = store
    list_id = await lists.begin(
        facts={"against": "draft", "calls": "live"},
        values={"draft": pack({"text": LARGE}), "names": pack(["a"])},
    )

    facts = await store.lists.facts(account_id, list_id, "against", "calls", "none")
    assert facts == {"against": b"draft", "calls": b"live"}
    assert await store.lists.value(account_id, list_id, "draft") == {"text": LARGE}
    assert await store.lists.value(account_id, list_id, "names") == ["a"]
    await store.lists.drop(account_id, list_id, "draft")
    assert await store.lists.value(account_id, list_id, "draft") is None
    await store.close()


async def test_the_first_verdict_on_an_item_stays(
    settings: Settings, lists: Lists, tmp_path: Path
) -> None:
    store, account_id = Store.open(settings, ObjectStore(tmp_path.as_uri())), lists.account.id
    lists.store = store
    list_id = await lists.begin()
    record = store.lists.record_verdicts

    assert await store.lists.verdict_codes(account_id, list_id) == ""
    assert await record(account_id, list_id, {1: ItemVerdict("d", {"changes": [LARGE]})}) == "-d-"
    both = {0: ItemVerdict("s", {"changes": []}), 1: ItemVerdict("s", {"changes": []})}
    assert await record(account_id, list_id, both) == "sd-"
    assert await store.lists.verdict_codes(account_id, list_id) == f"sd{NO_VERDICT}"
    assert await store.lists.verdicts(account_id, list_id, [0, 1, 2]) == {
        0: {"changes": []},
        1: {"changes": [LARGE]},
    }
    assert await record(account_id, "0" * 36, both) == ""
    await store.close()


async def test_an_account_has_a_bounded_number_of_lists_that_go_on(lists: Lists) -> None:
    begun = [await lists.begin(count=1) for _ in range(MAX_OPEN_LISTS)]

    with pytest.raises(QuotaExceeded) as refusal:
        await lists.begin(BatchKind.TESTS)
    assert refusal.value.context["quota"] == "openLists"
    await lists.begin(BatchKind.BATCH)
    await lists.end(begun[0])
    await lists.end(begun[0])
    await lists.begin()
    with pytest.raises(QuotaExceeded):
        await lists.begin()


async def test_a_list_that_is_over_goes_with_the_retention_and_never_to_the_history(
    settings: Settings, lists: Lists, tmp_path: Path
) -> None:
    store, account_id = Store.open(settings, ObjectStore(tmp_path.as_uri())), lists.account.id
    lists.store = store
    over, large = await lists.begin(), await lists.begin(values={"draft": pack(LARGE)})
    goes_on = await lists.begin(BatchKind.TESTS)
    await asyncio.gather(lists.end(over), lists.end(large))

    assert await store.lists.prune(0) == []
    assert await lists.ids(BatchKind.REPLAY) == [large, over]
    reference = keyspace.reference(account_id, large)
    assert await store.lists.prune(LATER) == [reference]
    assert await lists.ids(BatchKind.REPLAY) == []
    assert await lists.ids(BatchKind.TESTS) == [goes_on]
    left = await store.client.send("EXISTS", batch_keys.batch(account_id, over))
    forgotten = await store.client.send("EXISTS", keyspace.newest_forgotten(0, "batches"))
    assert (left, forgotten) == (0, 0)
    await store.close()


async def test_items_begin_a_kept_version_beyond_the_rate_of_runs_and_count_as_none(
    lists: Lists,
) -> None:
    store, account = lists.store, lists.account
    saved = await save(store, account, "other")
    terms = replace(store.tiers.terms(account.tier, account.role), runs_per_minute=1)
    list_id = await lists.begin(count=2)
    before = await store.client.send("HGET", keyspace.workflow(account.id, "other"), "runs")

    for index in range(2):
        await accept(
            store,
            account,
            *saved,
            execution_id=item_execution_id(list_id, index),
            terms=terms,
            item=BatchItem(list_id, index, BatchKind.REPLAY),
        )

    after = await store.client.send("HGET", keyspace.workflow(account.id, "other"), "runs")
    assert (before, after) == (None, None)
    assert await store.batches.item_states(account.id, list_id) == "pp"
    began = await store.client.send("HGET", keyspace.workflow(account.id, "other"), "r1")
    assert began is not None
