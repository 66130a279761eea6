"""Accounts of which nothing is written to the history any more, since they are erased."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from engine.history.database.connections import Database
from engine.history.database.statements import in_batches, insert_new
from engine.history.schema import archive_state

CLOSED = "closed."
"""Start of the names in `archive_state` of closed accounts."""


def close_account(database: Database, account_id: str) -> None:
    """Refuse further rows of an account, also from an archiver that is about to write.

    One writer works at a time, and reads the closed accounts first.
    """
    with database.write() as connection:
        row = {"name": CLOSED + account_id, "value": ""}
        connection.execute(insert_new(connection, archive_state), row)


def closed_accounts(connection: Connection, account_ids: Iterable[str]) -> set[str]:
    """Return the closed ones among some accounts."""
    closed_ids: set[str] = set()
    for some in in_batches(sorted(set(account_ids))):
        names = [CLOSED + each for each in some]
        closed = select(archive_state.c.name).where(archive_state.c.name.in_(names))
        closed_ids.update(
            name.removeprefix(CLOSED) for name in connection.execute(closed).scalars()
        )
    return closed_ids
