"""Reads of the archive: bounded in number and time, and refused at once after a failure."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from engine.history.database import Database
from engine.history.errors import HistoryUnavailable
from engine.history.location import POOL_SIZE
from engine.history.reading import archive as archives
from engine.history.reading.archive import HistoryArchive, open_archive
from engine.history.rows import make_rows
from engine.history.writer import write_executions
from engine.settings import Settings
from engine.store.archive.archive import NoArchive
from tests.support.history.archived import none_installed
from tests.support.history.rows import NAMES, ended


@pytest.fixture
async def archive(database: Database) -> AsyncIterator[HistoryArchive]:
    archive = HistoryArchive(lambda: database, none_installed)
    yield archive
    await archive.close()


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


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


async def test_many_reads_wait_for_a_thread_and_more_are_refused(
    archive: HistoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()

    def wait(connection: Connection) -> bool:
        return held.wait(30)

    count = POOL_SIZE + archives.MOST_WAITING
    reads = [asyncio.create_task(archive.read(wait)) for _ in range(count)]
    await asyncio.sleep(0)

    with pytest.raises(HistoryUnavailable) as refused:
        await archive.read(one)

    held.set()
    assert all(await asyncio.gather(*reads))
    assert "wait" in refused.value.reason
    assert await archive.read(one) == 1


async def test_a_read_that_takes_too_long_is_given_up(
    archive: HistoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "READ_SECONDS", 0.05)
    held = threading.Event()

    with pytest.raises(HistoryUnavailable):
        await archive.read(lambda connection: held.wait(30))

    held.set()


async def test_after_a_failure_one_read_tries_again_and_the_others_fail_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(archives, "AWAY_SECONDS", 0.0)
    archive = HistoryArchive(
        lambda: Database(f"sqlite:///{tmp_path}/no/folder.sqlite"), none_installed
    )
    with pytest.raises(HistoryUnavailable):
        await archive.read(one)
    await asyncio.sleep(0.001)
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "folder.sqlite").touch()
    held, is_tried = threading.Event(), threading.Event()

    def wait(connection: Connection) -> bool:
        is_tried.set()
        return held.wait(30)

    trying = asyncio.create_task(archive.read(wait))
    await asyncio.to_thread(is_tried.wait, 30)
    with pytest.raises(HistoryUnavailable, match="history"):
        await archive.read(one)

    held.set()
    assert await trying
    assert await archive.read(one) == 1
    await archive.close()


def test_without_a_database_there_is_no_archive(settings: Settings, tmp_path: Path) -> None:
    assert isinstance(open_archive(settings)(none_installed), NoArchive)
    url = f"sqlite:///{tmp_path}/history.sqlite"
    opened = open_archive(replace(settings, database_url=url))(none_installed)
    assert isinstance(opened, HistoryArchive)
