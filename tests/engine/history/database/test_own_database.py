"""Processes that find out whether they have the database of the history."""

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from engine.history.database import own_database as module
from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.database.own_database import OwnDatabase
from engine.history.migrations.migrate import migrate
from engine.history.schema import archive_state
from engine.store import Store
from engine.store.archive.state import ANOTHER_DATABASE, NO_DATABASE, ArchiverStates

NAME = "host-7-1a2b3c"


@pytest.fixture
def states(store: Store) -> ArchiverStates:
    return ArchiverStates(store.client)


async def claim(states: ArchiverStates, database: Database) -> None:
    with database.read() as connection:
        await states.claim_database(read_database_id(connection))


async def told(states: ArchiverStates) -> list[tuple[str, str]]:
    return [(each.name, each.reason) for each in (await states.health()).unfit]


async def test_a_process_with_the_database_has_nothing_to_tell(
    states: ArchiverStates, database: Database, database_url: str
) -> None:
    own = OwnDatabase(database_url, states, NAME)
    await own.look()
    await claim(states, database)
    await own.look()

    assert own.problem() == ""
    assert await told(states) == []


@pytest.mark.F60
async def test_a_process_without_a_database_is_told_once_there_is_a_history(
    states: ArchiverStates, caplog: pytest.LogCaptureFixture
) -> None:
    own = OwnDatabase("", states, NAME)
    await own.look()
    assert own.problem() == ""

    await states.claim_database("the history's")
    await own.look()
    await own.look()

    assert own.problem() == NO_DATABASE
    assert await told(states) == [(NAME, NO_DATABASE)]
    assert [each.message for each in caplog.records] == [
        "this process does not use the database of the history"
    ]


async def test_a_process_with_another_database_is_told_until_it_has_the_right_one(
    states: ArchiverStates, database: Database, database_url: str, store: Store
) -> None:
    await states.claim_database("the history's")
    own = OwnDatabase(database_url, states, NAME)
    await own.look()
    assert (own.problem(), await told(states)) == (ANOTHER_DATABASE, [(NAME, ANOTHER_DATABASE)])

    await store.client.send("FLUSHDB")
    await claim(states, database)
    await own.look()

    assert (own.problem(), await told(states)) == ("", [])


async def test_a_process_whose_database_is_put_back_is_told_no_more(
    states: ArchiverStates, database: Database, database_url: str
) -> None:
    await claim(states, database)
    own, seen = OwnDatabase(database_url, states, NAME), []
    with database.read() as connection:
        database_id = read_database_id(connection)

    for found in ("another's", database_id):
        with database.write() as connection:
            connection.execute(update(archive_state).values(value=found))
        await own.look()
        seen.append((own.problem(), await told(states)))

    assert seen == [(ANOTHER_DATABASE, [(NAME, ANOTHER_DATABASE)]), ("", [])]


async def test_a_database_without_an_id_is_not_the_installation_s(
    states: ArchiverStates, database: Database, database_url: str
) -> None:
    await states.claim_database("the history's")
    own = OwnDatabase(database_url, states, NAME)
    with database.write() as connection:
        [row] = connection.execute(select(archive_state)).mappings().all()
        connection.execute(delete(archive_state))
    try:
        await own.look()
    finally:
        with database.write() as connection:
            connection.execute(insert(archive_state), dict(row))

    assert own.problem() == ANOTHER_DATABASE


@pytest.mark.parametrize("url", ["sqlite:////no/folder", "postgresql://nobody@127.0.0.1:1/none"])
async def test_a_database_out_of_reach_is_a_problem_of_this_process_alone(
    states: ArchiverStates, url: str
) -> None:
    await states.claim_database("the history's")
    own = OwnDatabase(url, states, NAME)

    await own.look()

    assert own.problem() not in ("", NO_DATABASE, ANOTHER_DATABASE)
    assert await told(states) == []


async def test_a_replaced_file_is_noticed(
    states: ArchiverStates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    urls = [f"sqlite:///{tmp_path / name}" for name in ("history.sqlite", "new.sqlite")]
    for url in urls:
        database = Database(url)
        migrate(database)
        database.close()
    await claim(states, Database(urls[0]))
    own = OwnDatabase(urls[0], states, NAME)
    await own.look()
    assert own.problem() == ""
    for each in tmp_path.glob("history.sqlite-*"):
        each.unlink()

    (tmp_path / "new.sqlite").replace(tmp_path / "history.sqlite")
    await own.look()

    assert own.problem() == ANOTHER_DATABASE
