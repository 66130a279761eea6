"""Reads of the archive: bounded in number and time, and refused at once after a failure."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.database.location import POOL_SIZE
from engine.history.errors import HistoryUnavailable
from engine.history.reading import bounded_reads as archives
from engine.history.reading.archive import HistoryArchive, open_archive
from engine.settings import Settings
from engine.store.archive.no_archive import NoArchive
from tests.support.history.archived import none_installed
from tests.support.history.rows import NAMES, ended


@pytest.fixture
async def archive(database: Database) -> AsyncIterator[HistoryArchive]:
    archive = HistoryArchive(lambda: database, none_installed)
    yield archive
    await archive.close()


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


def waiting(held: threading.Event) -> Callable[[Connection], bool]:
    """Return a query that takes as long as the event."""
    return lambda _: held.wait(30)


async def test_a_record_comes_back_with_its_last_retry(
    archive: HistoryArchive, database: Database
) -> None:
    record = ended(retry="the-retry", status="failed")
    write_executions(database, [make_rows(record, NAMES)])

    found = await archive.record(record.account_id, record.execution_id)

    assert found is not None
    assert (found.reference, found.fields) == (record.reference, record.fields)
    assert await archive.record("acc_2", record.execution_id) is None
    ids = record.account_id, record.execution_id
    assert await archive.known([ids, ("acc_1", "none")]) == {ids}


async def test_an_account_has_some_threads_and_its_further_reads_wait_or_are_refused(
    archive: HistoryArchive,
) -> None:
    held = threading.Event()
    count = archives.SHARE + archives.MOST_WAITING
    reads = [asyncio.create_task(archive.read("greedy", waiting(held))) for _ in range(count)]
    await asyncio.sleep(0)

    with pytest.raises(HistoryUnavailable) as refused:
        await archive.read("greedy", one)
    others = [await archive.read(f"account {number}", one) for number in range(3)]

    held.set()
    assert all(await asyncio.gather(*reads))
    assert "wait" in refused.value.reason
    assert others == [1, 1, 1]
    assert await archive.read("greedy", one) == 1


class Idle(Database):
    """Database that opens no connection."""

    def __init__(self) -> None:
        pass

    def expect(self, database_id: str) -> None:
        pass

    @contextmanager
    def read(self, *, is_fresh: bool = False) -> Iterator[Any]:
        yield None

    def close(self) -> None:
        pass


async def test_accounts_take_turns_for_the_threads() -> None:
    archive = HistoryArchive(Idle, none_installed)
    held = threading.Event()
    began: list[str] = []

    def wait(account: str) -> Callable[[Connection], bool]:
        def query(connection: Connection) -> bool:
            began.append(account)
            return held.wait(30)

        return query

    greedy = [f"greedy {number}" for number in range(POOL_SIZE // archives.SHARE)]
    reads = [
        asyncio.create_task(archive.read(account, wait(account)))
        for account in greedy
        for _ in range(10)
    ]
    await asyncio.sleep(0)
    last = asyncio.create_task(archive.read("last", wait("last")))
    await asyncio.sleep(0)
    held.set()

    assert all(await asyncio.gather(*reads, last))
    assert began.index("last") < 3 * POOL_SIZE
    await archive.close()


async def test_a_slow_read_is_given_up_and_costs_its_account_alone(
    archive: HistoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "READ_SECONDS", 0.05)
    monkeypatch.setattr(archives, "AWAY_SECONDS", 60.0)
    held = threading.Event()

    with pytest.raises(HistoryUnavailable) as slow:
        await archive.read("slow", waiting(held))
    monkeypatch.setattr(archives, "READ_SECONDS", 30.0)
    others = [await archive.read("other", one), await archive.read("third", one)]
    with pytest.raises(HistoryUnavailable) as again:
        await archive.read("slow", one)

    held.set()
    assert slow.value.is_slow
    assert others == [1, 1]
    assert "a moment ago" in again.value.reason


async def test_a_slow_account_reads_again_after_a_moment(
    archive: HistoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "READ_SECONDS", 0.05)
    monkeypatch.setattr(archives, "AWAY_SECONDS", 0.0)
    held = threading.Event()
    with pytest.raises(HistoryUnavailable):
        await archive.read("slow", waiting(held))
    held.set()
    monkeypatch.setattr(archives, "READ_SECONDS", 30.0)
    await asyncio.sleep(0.001)

    assert [await archive.read("slow", one) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("is_about_data", [True, False])
async def test_a_failed_read_gives_its_place_back(
    is_about_data: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "AWAY_SECONDS", 0.0)
    archive = HistoryArchive(Idle, none_installed)

    def fail(connection: Connection) -> None:
        raise HistoryUnavailable("a failure", is_about_data=is_about_data)

    def break_(connection: Connection) -> None:
        raise KeyError("a fault of Headrace")

    for query, error in ((fail, HistoryUnavailable), (break_, KeyError)):
        for _ in range(archives.SHARE + archives.MOST_WAITING + POOL_SIZE):
            with pytest.raises(error):
                await archive.read("one", query)
            await asyncio.sleep(0.000_1)

    assert await archive.read("one", lambda _: 1) == 1
    await archive.close()


async def test_a_read_whose_caller_went_away_gives_its_place_back(archive: HistoryArchive) -> None:
    held = threading.Event()
    for _ in range(3):
        count = archives.SHARE + archives.MOST_WAITING
        reads = [asyncio.create_task(archive.read("one", waiting(held))) for _ in range(count)]
        await asyncio.sleep(0.01)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    held.set()
    assert await archive.read("one", one) == 1


async def test_values_that_the_database_refuses_cost_no_other_read(archive: HistoryArchive) -> None:
    def refuse(connection: Connection) -> None:
        raise HistoryUnavailable("number too large", is_about_data=True)

    with pytest.raises(HistoryUnavailable):
        await archive.read("one", refuse)

    assert await archive.read("one", one) == 1
    assert await archive.read("other", one) == 1


async def test_after_a_failure_one_read_tries_again_and_the_others_fail_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(archives, "AWAY_SECONDS", 0.0)
    archive = HistoryArchive(
        lambda: Database(f"sqlite:///{tmp_path}/no/folder.sqlite"), none_installed
    )
    with pytest.raises(HistoryUnavailable):
        await archive.read("one", one)
    await asyncio.sleep(0.001)
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "folder.sqlite").touch()
    held, is_tried = threading.Event(), threading.Event()

    def wait(connection: Connection) -> bool:
        is_tried.set()
        return held.wait(30)

    trying = asyncio.create_task(archive.read("one", wait))
    await asyncio.to_thread(is_tried.wait, 30)
    with pytest.raises(HistoryUnavailable, match="history"):
        await archive.read("other", one)

    held.set()
    assert await trying
    assert await archive.read("other", one) == 1
    await archive.close()


def test_without_a_database_there_is_no_archive(settings: Settings, tmp_path: Path) -> None:
    assert isinstance(open_archive(settings)(none_installed), NoArchive)
    url = f"sqlite:///{tmp_path}/history.sqlite"
    opened = open_archive(replace(settings, database_url=url))(none_installed)
    assert isinstance(opened, HistoryArchive)
