"""Occurrences of triggers, in the history."""

from collections.abc import Sequence

from engine.history.archiving.closed_accounts import closed_accounts
from engine.history.archiving.execution_rows import Row
from engine.history.database.connections import Database
from engine.history.database.statements import insert_new
from engine.history.schema import occurrences
from engine.triggers.occurrences import Occurrence

AccountOccurrence = tuple[str, Occurrence]
"""Account id and one of its occurrences."""


def write_occurrences(database: Database, found: Sequence[AccountOccurrence]) -> None:
    """Write the occurrences that the database lacks; those of closed accounts are left out.

    Raises HistoryUnavailable.
    """
    if not found:
        return
    with database.write() as connection:
        closed = closed_accounts(connection, (account_id for account_id, _ in found))
        rows = [make_occurrence_row(*each) for each in found if each[0] not in closed]
        if rows:
            connection.execute(insert_new(connection, occurrences), rows)


def make_occurrence_row(account_id: str, occurrence: Occurrence) -> Row:
    """Return the row of an occurrence."""
    return {
        "account_id": account_id,
        "trigger_id": occurrence.trigger_id,
        "at": occurrence.at,
        "id": occurrence.id,
        "status": occurrence.status.value,
        "reason": occurrence.reason or None,
        "execution_id": occurrence.execution_id,
        "count": occurrence.count,
    }
