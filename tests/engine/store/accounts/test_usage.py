"""Usage of an account: its executions and their cost."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import InvalidCursor
from engine.executions.statuses import ExecutionStatus
from engine.store import Account, ExecutionFilter, Store
from engine.store.accounts import usage
from engine.store.executions.read.scan import CHUNK
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import Script
from tests.support.store.records import accept, save

ANY = ExecutionFilter()


async def put(store: Store, account: Account, number: int, **fields: str | bytes | int) -> str:
    """Record an execution; higher numbers are newer."""
    execution_id = f"00000000-0000-4000-8000-{number:012d}"
    record = {"status": "completed", "slug": "echo", "source": "api-workflow", **fields}
    record.setdefault("created", 1_000 + number)
    words = [word for pair in record.items() for word in pair]
    await asyncio.gather(
        store.client.send("HSET", keyspace.execution(account.id, execution_id), *words),
        store.client.send(
            "ZADD", keyspace.account_executions(account.id), 1_000 + number, execution_id
        ),
    )
    return execution_id


async def listed(
    store: Store, account: Account, wanted: ExecutionFilter = ANY, limit: int = 50, offset: int = 0
) -> tuple[Sequence[str], int]:
    page = await store.usage.page(account.id, wanted, limit=limit, offset=offset)
    return [row.id for row in page.rows], page.total


async def test_an_account_that_ran_nothing_has_no_rows(store: Store, account: Account) -> None:
    assert await listed(store, account) == ([], 0)
    assert await listed(store, account, ExecutionFilter(workflow_slug="echo")) == ([], 0)


async def test_executions_are_listed_newest_first(store: Store, account: Account) -> None:
    workflow, plan = await save(store, account)
    ids = [(await accept(store, account, workflow, plan)).id for _ in range(3)]

    page = await store.usage.page(account.id, ANY, limit=2, offset=0)

    newest = await store.executions.list(account.id, limit=2)
    assert list(page.rows) == newest[0]
    assert page.total == len(ids)


async def test_a_row_has_the_cost_of_a_run(store: Store, account: Account) -> None:
    await put(
        *(store, account, 1),
        status="failed",
        completed=3_001,
        error=pack({"code": "EXECUTION_FAILED", "message": "a"}),
        spent=13,
        usd=10_000,
        markup="1.3",
        models="echo,other",
    )

    [row] = (await store.usage.page(account.id, ANY, limit=1, offset=0)).rows

    assert (row.status, row.duration_ms) == (ExecutionStatus.FAILED, 2_000)
    assert row.error == {"code": "EXECUTION_FAILED", "message": "a"}
    assert (row.credits_cost, row.micro_usd, row.markup) == (13, 10_000, Decimal("1.3"))
    assert row.model_ids == ("echo", "other")


async def test_results_are_not_read(store: Store, account: Account) -> None:
    await put(store, account, 1, result=pack("large"))

    [row] = (await store.usage.page(account.id, ANY, limit=1, offset=0)).rows

    assert row.result is None


async def test_pages_join_without_gap_or_double(store: Store, account: Account) -> None:
    ids = [await put(store, account, number) for number in range(7)]
    newest_first = ids[::-1]

    pages = [await listed(store, account, limit=3, offset=offset) for offset in (0, 3, 6, 9)]

    assert [page for page, _ in pages] == [
        newest_first[:3],
        newest_first[3:6],
        newest_first[6:],
        [],
    ]
    assert {total for _, total in pages} == {7}


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (ExecutionFilter(statuses=[ExecutionStatus.FAILED]), [3, 1]),
        (ExecutionFilter(workflow_slug="greeting"), [2, 1]),
        (ExecutionFilter(model_id="echo"), [3, 2]),
        (ExecutionFilter(model_id="ech"), []),
        (ExecutionFilter(model_id="echo", workflow_slug="greeting"), [2]),
        (ExecutionFilter(statuses=[ExecutionStatus.FAILED], model_id="echo"), [3]),
        (ExecutionFilter(statuses=[ExecutionStatus.CANCELLED]), []),
    ],
)
async def test_every_filter_must_fit(
    store: Store, account: Account, wanted: ExecutionFilter, numbers: list[int]
) -> None:
    ids = {
        0: await put(store, account, 0),
        1: await put(store, account, 1, status="failed", slug="greeting"),
        2: await put(store, account, 2, slug="greeting", models="other,echo"),
        3: await put(store, account, 3, status="failed", slug="", models="echo,third"),
    }

    assert await listed(store, account, wanted) == ([ids[each] for each in numbers], len(numbers))


async def test_filtered_pages_join_over_chunks(store: Store, account: Account) -> None:
    ids = [
        await put(store, account, number, slug="odd" if number % 2 else "even")
        for number in range(2 * CHUNK + 10)
    ]
    odd = ids[1::2][::-1]
    wanted = ExecutionFilter(workflow_slug="odd")
    middle = CHUNK // 2

    assert await listed(store, account, wanted, 4, middle - 2) == (
        odd[middle - 2 : middle + 2],
        len(odd),
    )
    assert await listed(store, account, wanted, 500, len(odd) - 3) == (odd[-3:], len(odd))
    assert await listed(store, account, wanted, 500, len(odd)) == ([], len(odd))


async def test_executions_pruned_meanwhile_are_left_out(store: Store, account: Account) -> None:
    kept, gone = [await put(store, account, number) for number in range(2)]
    await store.client.send("DEL", keyspace.execution(account.id, gone))

    assert (await listed(store, account))[0] == [kept]
    assert await listed(store, account, ExecutionFilter(workflow_slug="echo")) == ([kept], 1)


async def test_newer_runs_that_come_in_while_it_is_read_double_nothing(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await put(store, account, number) for number in range(CHUNK + 20)]
    call, executions = store.client.call, keyspace.account_executions(account.id)

    def late(script: Script, **names: Any) -> asyncio.Future[Sequence[int]]:
        monkeypatch.setattr(store.client, "call", call)
        for number in range(5):
            execution_id = f"00000000-0000-4000-8000-{5_000 + number:012d}"
            store.client.send("ZADD", executions, 5_000 + number, execution_id)
        return call(script, **names)

    monkeypatch.setattr(store.client, "call", late)

    found, total = await listed(
        store, account, ExecutionFilter(workflow_slug="echo"), 500, CHUNK - 5
    )

    assert found == ids[::-1][CHUNK - 5 :]
    assert total == len(ids)


async def test_a_rare_filter_is_followed_by_its_cursor_to_every_match(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "EXAMINED_AT_MOST", 20)
    ids = [
        await put(store, account, number, slug="rare" if number % 15 == 0 else "echo")
        for number in range(70)
    ]
    wanted = ExecutionFilter(workflow_slug="rare")

    pages = [await store.usage.page(account.id, wanted, limit=2, offset=0)]
    while cursor := pages[-1].next_cursor:
        pages.append(await store.usage.page(account.id, wanted, limit=2, offset=0, cursor=cursor))

    rows = [row.id for page in pages for row in page.rows]
    assert rows == [ids[each] for each in (60, 45, 30, 15, 0)]
    assert [page.is_exact for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [page.total for page in pages][-1] == 5
    assert [page.offset for page in pages] == [0, 1, 3, 4][: len(pages)]


async def test_a_total_is_exact_up_to_a_number_of_matches(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "COUNTED_AT_MOST", CHUNK)
    for number in range(CHUNK):
        await put(store, account, number)
    wanted = ExecutionFilter(workflow_slug="echo")

    exact = await store.usage.page(account.id, wanted, limit=1, offset=0)
    for number in range(CHUNK, 2 * CHUNK + 5):
        await put(store, account, number)
    counted = await store.usage.page(account.id, wanted, limit=1, offset=0)
    after = await store.usage.page(
        account.id, wanted, limit=1, offset=0, cursor=counted.next_cursor
    )

    assert (exact.is_exact, exact.total, exact.next_cursor) == (True, CHUNK, None)
    assert (counted.is_exact, counted.total) == (False, 2 * CHUNK)
    assert (after.is_exact, after.total) == (False, 1 + 2 * CHUNK)


@pytest.mark.parametrize("cursor", ["", ".", "1.", "1.x", "x.MTAwMDo", "-1.MTAwMDo", "9" * 30])
async def test_a_cursor_of_no_usage_page_is_refused(
    store: Store, account: Account, cursor: str
) -> None:
    with pytest.raises(InvalidCursor):
        await store.usage.page(account.id, ANY, limit=1, offset=0, cursor=cursor)


async def test_accounts_see_their_own_alone(store: Store, account: Account) -> None:
    other = await store.accounts.create(email="bob@example.com", tier=Tier.PRO)
    await put(store, account, 1)

    assert await listed(store, other) == ([], 0)
    assert await listed(store, other, ExecutionFilter(workflow_slug="echo")) == ([], 0)
