"""`headrace migrate`, `history status`, `history export` and the check of `headrace doctor`."""

import json
from pathlib import Path

import pytest

from deploy.admin.history import (
    NO_HISTORY,
    check_history,
    export_executions,
    migrate_database,
    read_status,
)
from deploy.output.problems import CommandFailed
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.migrations.revisions import newest_revision
from engine.store import Account, Store
from engine.store.archive.state import ArchiverStates
from tests.support.history.rows import rows
from tests.support.store.ended import Ending

BROKEN = {"acc_1/one": "its record cannot be read (ValueError)"}
AWAY = "postgresql://nobody:secret@127.0.0.1:1/none"


def test_migrate_tells_the_database_and_its_revision(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'history.sqlite'}"

    row = migrate_database(Database(url))

    assert row == {"database": url, "revision": newest_revision()}


def test_a_database_that_is_away_is_one_sentence() -> None:
    with pytest.raises(CommandFailed, match="The database of the history cannot be used: "):
        migrate_database(Database(AWAY))


async def test_status_says_until_when_all_is_archived(
    store: Store, account: Account, database: Database
) -> None:
    ending = await Ending.of(store, account)
    await ending.completed()
    await ArchiverStates(store.client).write(seen_at=await store.leases.now(), error="", refused={})

    before = await read_status(store, database)
    await ExecutionArchive(store, database).archive()
    after = await read_status(store, database)

    assert (before["executions"], before["waiting"], before["error"]) == (0, 1, None)
    assert (after["executions"], after["waiting"], after["error"]) == (1, 0, None)
    assert before["archivedUntil"] < after["archivedUntil"]
    assert after["isCurrent"] is True
    assert (await check_history(store, database, is_named=True)).is_well


async def test_a_database_that_is_away_is_an_error_of_the_status_and_the_check(
    store: Store,
) -> None:
    database = Database(AWAY)

    row = await read_status(store, database)
    check = await check_history(store, database, is_named=True)

    assert row["error"]
    assert "secret" not in json.dumps(row)
    assert (row["executions"], row["revision"]) == (None, "")
    assert (check.is_well, check.name) == (False, "history")


async def test_an_installation_without_a_history_is_well_until_an_archiver_has_run(
    store: Store, account: Account, tmp_path: Path
) -> None:
    await (await Ending.of(store, account)).completed()
    database = Database(f"sqlite:///{tmp_path / 'history.sqlite'}")

    named = await check_history(store, database, is_named=True)
    without = await check_history(store, database, is_named=False)
    await ArchiverStates(store.client).write(seen_at=1, error="", refused={})
    begun = await check_history(store, database, is_named=False)

    assert (without.state, without.seen) == ("ok", NO_HISTORY)
    assert (named.state, begun.state) == ("failed", "failed")


async def test_the_check_and_the_status_name_records_that_cannot_be_archived(
    store: Store, database: Database
) -> None:
    await ArchiverStates(store.client).write(seen_at=0, error="", refused=BROKEN)

    check = await check_history(store, database, is_named=True)
    row = await read_status(store, database)

    assert not check.is_well
    assert "acc_1/one: its record cannot be read" in check.seen
    assert (row["refused"], row["refusedRecords"]) == (1, BROKEN)
    assert "acc_1/one" in row["error"]


def test_an_export_has_one_object_a_line(database: Database) -> None:
    found = [rows(account_id=name) for name in "ab"]
    write_executions(database, found)

    lines = list(export_executions(database, account_id=None, from_ms=None, to_ms=None))

    assert all(line.endswith(b"\n") for line in lines)
    assert [json.loads(line)["id"] for line in lines] == [each.execution["id"] for each in found]


def test_an_export_without_a_database_is_one_sentence() -> None:
    with pytest.raises(CommandFailed, match="cannot be used"):
        list(export_executions(Database(AWAY), account_id=None, from_ms=None, to_ms=None))
