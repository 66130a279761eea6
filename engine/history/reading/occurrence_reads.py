"""Reads of archived occurrences of triggers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, tuple_
from sqlalchemy import Row as SqlRow

from engine.executions.filter import Position
from engine.history.schema import occurrences
from engine.triggers.occurrences import Occurrence, OccurrenceStatus

OF = occurrences.c
KEY = OF.account_id, OF.trigger_id, OF.at, OF.id
STATUSES = {each.value: each for each in OccurrenceStatus}
"""Statuses that this version knows; occurrences of a later one with others are in no list."""


def read_occurrences(
    connection: Connection,
    account_id: str,
    trigger_id: str,
    status: OccurrenceStatus | None,
    after: Position | None,
    limit: int,
) -> Sequence[Occurrence]:
    """Return the occurrences of a trigger after a row, newest first; None: of any status."""
    of_trigger = OF.account_id == account_id, OF.trigger_id == trigger_id
    newest_first = OF.at.desc(), OF.id.desc()
    query = select(occurrences).where(*of_trigger)
    before = () if after is None else (tuple_(OF.at, OF.id) < tuple_(*after),)
    if status is None:
        query = query.where(*before, OF.status.in_(STATUSES)).limit(limit)
    else:  # with further columns SQLite would leave the index of statuses for the primary key
        listed = select(*KEY).where(*of_trigger, OF.status == status.value, *before)
        page = connection.execute(listed.order_by(*newest_first).limit(limit)).all()
        query = query.where(tuple_(*KEY).in_([tuple(row) for row in page]))
    return [_occurrence(row) for row in connection.execute(query.order_by(*newest_first))]


def read_occurrence(
    connection: Connection, account_id: str, trigger_id: str, occurrence_id: str
) -> Occurrence | None:
    """Return an occurrence of a trigger, None for an unknown one."""
    is_one = OF.account_id == account_id, OF.id == occurrence_id, OF.trigger_id == trigger_id
    row = connection.execute(select(occurrences).where(*is_one, OF.status.in_(STATUSES))).first()
    return None if row is None else _occurrence(row)


def _occurrence(row: SqlRow[Any]) -> Occurrence:
    return Occurrence(
        id=row.id,
        trigger_id=row.trigger_id,
        at=row.at,
        status=STATUSES[row.status],
        reason=row.reason or "",
        count=row._mapping["count"],  # `count` of a row is a method of tuples
    )
