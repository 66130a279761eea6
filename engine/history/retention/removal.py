"""Removal of rows whose retention is over, and of all rows of an account."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, and_, delete, func, or_, select, tuple_, update

from engine.history.archiving.entries import FACTS
from engine.history.archiving.rollups import BUCKETS_MS
from engine.history.database.connections import Database
from engine.history.database.statements import upsert
from engine.history.schema import (
    audit_entries,
    batches,
    child_executions,
    deliveries,
    execution_models,
    execution_records,
    execution_tags,
    executions,
    ledger_carried,
    ledger_entries,
    ledger_positions,
    nodes,
    occurrences,
    rollups,
)
from engine.store.audit import without_email, without_member

AT_ONCE = 500
"""Executions, batches, deliveries, occurrences or entries that one transaction removes."""
FIGURES_DAYS = 400.0
"""Time for which figures of hours and days are kept at least."""
DAY_MS = 86_400_000

PARTS = (execution_records, execution_models, execution_tags, nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedRows:
    """Number of removed rows, and those among them with objects in the media store."""

    count: int
    with_objects: Sequence[str] = ()
    """Ids of executions or of batches."""


def remove_executions(database: Database, account_id: str, before_ms: int | None) -> RemovedRows:
    """Remove a batch of an account's executions that began and ended before a time; None: all.

    Those that other executions began are not among them.
    """
    return _remove_executions(database, executions, account_id, before_ms)


def remove_children(database: Database, account_id: str, before_ms: int | None) -> RemovedRows:
    """Remove executions that other ones began, like `remove_executions`."""
    return _remove_executions(database, child_executions, account_id, before_ms)


def _remove_executions(
    database: Database, of_table: Table, account_id: str, before_ms: int | None
) -> RemovedRows:
    of = of_table.c
    old = select(of.id, of.created_at, of.has_objects).where(of.account_id == account_id)
    if before_ms is not None:
        old = old.where(of.created_at < before_ms, of.completed_at < before_ms)
    with database.write() as connection:
        rows = connection.execute(old.order_by(of.created_at).limit(AT_ONCE)).all()
        ids = [row.id for row in rows]
        if ids:
            for table in PARTS:
                of_account = table.c.account_id == account_id
                connection.execute(delete(table).where(of_account, table.c.execution_id.in_(ids)))
            is_old = and_(of.account_id == account_id, of.id.in_(ids))
            connection.execute(delete(of_table).where(is_old))
    with_objects = [row.id for row in rows if row.has_objects]
    return RemovedRows(count=len(rows), with_objects=with_objects)


def remove_deliveries(database: Database, account_id: str, before_ms: int | None) -> int:
    """Remove a batch of an account's deliveries from before a time, None: all; return its size."""
    old = select(deliveries.c.id).where(deliveries.c.account_id == account_id)
    if before_ms is not None:
        old = old.where(deliveries.c.created_at < before_ms, deliveries.c.settled_at < before_ms)
    with database.write() as connection:
        ids = list(connection.execute(old.limit(AT_ONCE)).scalars())
        is_old = and_(deliveries.c.account_id == account_id, deliveries.c.id.in_(ids))
        if ids:
            connection.execute(delete(deliveries).where(is_old))
    return len(ids)


def remove_batches(database: Database, account_id: str, before_ms: int | None) -> RemovedRows:
    """Remove some of an account's batches that began and ended before a time; None: of all."""
    of = batches.c
    old = select(of.id, of.has_objects).where(of.account_id == account_id)
    if before_ms is not None:
        old = old.where(of.created_at < before_ms, of.completed_at < before_ms)
    with database.write() as connection:
        rows = connection.execute(old.order_by(of.created_at).limit(AT_ONCE)).all()
        ids = [row.id for row in rows]
        if ids:
            is_old = and_(of.account_id == account_id, of.id.in_(ids))
            connection.execute(delete(batches).where(is_old))
    with_objects = [row.id for row in rows if row.has_objects]
    return RemovedRows(count=len(rows), with_objects=with_objects)


def remove_occurrences(database: Database, account_id: str, before_ms: int | None) -> int:
    """Remove a batch of an account's occurrences from before a time, None: all; return its size."""
    key = tuple_(occurrences.c.trigger_id, occurrences.c.at, occurrences.c.id)
    of_account = occurrences.c.account_id == account_id
    old = select(*key.clauses).where(of_account).order_by(occurrences.c.at).limit(AT_ONCE)
    if before_ms is not None:
        old = old.where(occurrences.c.at < before_ms)
    with database.write() as connection:
        keys = [tuple(row) for row in connection.execute(old)]
        if keys:
            connection.execute(delete(occurrences).where(of_account, key.in_(keys)))
    return len(keys)


def carry_ledger(database: Database, account_id: str, before_ms: int) -> int:
    """Replace a batch of an account's entries from before a time by their sums; return its size."""
    old = (
        select(ledger_entries)
        .where(ledger_entries.c.account_id == account_id, ledger_entries.c.at < before_ms)
        .order_by(ledger_entries.c.at, ledger_entries.c.number)
        .limit(AT_ONCE)
    )
    with database.write() as connection:
        rows = connection.execute(old).all()
        if not rows:
            return 0
        _carry(connection, account_id, [(row.bucket, row.credits, row.reserved) for row in rows])
        key = tuple_(ledger_entries.c.at, ledger_entries.c.number)
        last = rows[-1].at, rows[-1].number
        connection.execute(
            delete(ledger_entries).where(ledger_entries.c.account_id == account_id, key <= last)
        )
    return len(rows)


def remove_figures(database: Database, account_id: str, before_ms: int, now_ms: int) -> None:
    """Remove an account's figures of minutes before a time, and much older ones of hours, days."""
    much_older = min(before_ms, now_ms - int(FIGURES_DAYS * DAY_MS))
    is_old = or_(
        *(
            and_(
                rollups.c.bucket == bucket,
                rollups.c.at < (before_ms if bucket == "minute" else much_older) - length,
            )
            for bucket, length in BUCKETS_MS.items()
        )
    )
    with database.write() as connection:
        connection.execute(delete(rollups).where(rollups.c.account_id == account_id, is_old))


def remove_acts(database: Database, before_ms: int) -> None:
    """Remove administrative acts from before a time."""
    with database.write() as connection:
        connection.execute(delete(audit_entries).where(audit_entries.c.at < before_ms))


def redact_acts(database: Database, account_id: str, email: str | None) -> None:
    """Remove the e-mail address of an account from administrative acts; None: unknown."""
    act = audit_entries.c
    texts = [] if email is None else [act[name].icontains(email, autoescape=True) for name in FACTS]
    with database.write() as connection:
        acts = select(audit_entries).where(or_(act.subject == account_id, *texts))
        for row in connection.execute(acts).mappings().all():
            facts = {name: _without_address(row[name], email) for name in FACTS}
            if any(facts[name] != row[name] for name in FACTS):
                key = and_(*(act[name] == row[name] for name in ("at", "number", "stream")))
                connection.execute(update(audit_entries).where(key).values(**facts))


def _without_address(facts: str | None, email: str | None) -> str | None:
    if facts is None:
        return None
    data = without_member(facts.encode())
    return (data if email is None else without_email(data, email)).decode()


def erase_account(database: Database, account_id: str) -> RemovedRows:
    """Remove a batch of an account's rows; a count of 0 says that no row is left."""
    for remove in (remove_executions, remove_children, remove_batches):
        removed = remove(database, account_id, None)
        if removed.count:
            return removed
    if count := remove_occurrences(database, account_id, None):
        return RemovedRows(count=count)
    with database.write() as connection:
        tables = (deliveries, ledger_entries, ledger_carried, ledger_positions, rollups)
        results = [
            connection.execute(delete(table).where(table.c.account_id == account_id))
            for table in tables
        ]
    return RemovedRows(count=sum(result.rowcount for result in results))


def count_rows(database: Database, account_id: str) -> dict[str, int]:
    """Return the number of an account's rows by table."""
    tables: Sequence[Table] = (
        *(executions, child_executions, batches),
        *(deliveries, occurrences, ledger_entries),
    )
    with database.read() as connection:
        return {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(table.c.account_id == account_id)
            ).scalar_one()
            for table in tables
        }


def _carry(
    connection: Connection, account_id: str, movements: Sequence[tuple[str, int, int]]
) -> None:
    """Add movements of a bucket's credits, and of reserved ones, to the carried sums."""
    columns = ledger_carried.c.bucket, ledger_carried.c.credits, ledger_carried.c.reserved
    known = connection.execute(select(*columns).where(ledger_carried.c.account_id == account_id))
    sums = {bucket: [credits, reserved] for bucket, credits, reserved in known}
    for bucket, credits, reserved in movements:
        sums.setdefault(bucket, [0, 0])[0] += credits
        sums.setdefault("", [0, 0])[1] += reserved
    rows = [
        {"account_id": account_id, "bucket": bucket, "credits": credits, "reserved": reserved}
        for bucket, (credits, reserved) in sums.items()
    ]
    connection.execute(upsert(connection, ledger_carried), rows)
