"""Transactions in a database that is not the installation's."""

import os
from contextlib import closing

import pytest
from sqlalchemy import make_url

from engine.history.database.connections import Database
from engine.history.database.identity import WRONG_ENCODING, read_database_id
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.store.archive.state import ANOTHER_DATABASE
from tests.support.history.databases import create_database


def test_neither_reads_nor_writes_begin_in_another_database(database: Database) -> None:
    with database.read() as connection:
        own = read_database_id(connection)
    database.expect("another")

    for transaction in (database.read, database.write):
        with pytest.raises(HistoryUnavailable) as caught, transaction():
            pytest.fail("it began")
        assert caught.value.reason == ANOTHER_DATABASE

    database.expect(own)
    with database.read(), database.read(is_fresh=True):
        pass


def test_a_database_without_an_encoding_is_refused_with_the_remedy(postgresql_url: str) -> None:
    name = f"ascii_{os.getpid()}"
    create_database(postgresql_url, name, "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = make_url(postgresql_url).set(database=name)

    with (
        closing(Database(url.render_as_string(hide_password=False))) as database,
        pytest.raises(HistoryUnavailable) as caught,
    ):
        migrate(database)

    assert caught.value.reason == WRONG_ENCODING
