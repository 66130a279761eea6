"""Transactions in a database that is not the installation's."""

import pytest

from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.errors import HistoryUnavailable
from engine.store.archive.state import ANOTHER_DATABASE


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
