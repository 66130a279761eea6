"""Reads of archived movements of credits, and of deliveries."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, tuple_
from sqlalchemy import Row as SqlRow

from engine.executions.filter import Position
from engine.history.archiving.deliveries import parse_delivery_record
from engine.history.schema import deliveries, ledger_entries
from engine.store.accounts.wallets import LedgerEntry
from engine.store.archive.archive import ArchivedDelivery, LedgerFilter, StreamId


def read_ledger(
    connection: Connection,
    account_id: str,
    wanted: LedgerFilter,
    before: StreamId | None,
    limit: int,
) -> Sequence[tuple[StreamId, LedgerEntry]]:
    """Return the matching entries before one of a ledger, newest first."""
    entry = ledger_entries.c
    query = select(ledger_entries).where(entry.account_id == account_id)
    if wanted.execution_id is not None:
        query = query.where(entry.execution_id == wanted.execution_id)
    if wanted.kind is not None:
        query = query.where(entry.kind == wanted.kind)
    if wanted.since is not None:
        query = query.where(entry.at >= wanted.since)
    if before is not None:
        query = query.where(tuple_(entry.at, entry.number) < tuple_(*before))
    rows = connection.execute(query.order_by(entry.at.desc(), entry.number.desc()).limit(limit))
    return [((row.at, row.number), _entry(row)) for row in rows]


def _entry(row: SqlRow[Any]) -> LedgerEntry:
    return LedgerEntry(
        at=row.at,
        kind=row.kind,
        bucket=row.bucket,
        credits=row.credits,
        reserved=row.reserved,
        balance=row.balance,
        execution_id=row.execution_id,
        node=row.node,
        note=row.note,
        child_id=row.child_id,
    )


def read_deliveries(
    connection: Connection,
    account_id: str,
    wanted: Mapping[str, str | None],
    after: Position | None,
    limit: int,
) -> Sequence[ArchivedDelivery]:
    """Return deliveries after a row, newest first, with these values of columns; None: any."""
    delivery = deliveries.c
    conditions = [delivery[name] == value for name, value in wanted.items() if value is not None]
    query = select(delivery.id, delivery.record).where(
        delivery.account_id == account_id, *conditions
    )
    if after is not None:
        query = query.where(tuple_(delivery.created_at, delivery.id) < tuple_(*after))
    rows = connection.execute(
        query.order_by(delivery.created_at.desc(), delivery.id.desc()).limit(limit)
    )
    return [_delivery(*row) for row in rows]


def read_deliveries_since(
    connection: Connection,
    account_id: str,
    key_id: str,
    status: str | None,
    since: int,
    limit: int,
) -> Sequence[Position]:
    """Return the rows of a webhook's deliveries created since a time, oldest first."""
    delivery = deliveries.c
    query = select(delivery.created_at, delivery.id).where(
        delivery.account_id == account_id, delivery.key_id == key_id, delivery.created_at >= since
    )
    if status is not None:
        query = query.where(delivery.status == status)
    rows = connection.execute(query.order_by(delivery.created_at, delivery.id).limit(limit))
    return [Position(at, name) for at, name in rows]


def read_delivery(
    connection: Connection, account_id: str, delivery_id: str
) -> ArchivedDelivery | None:
    """Return a delivery, None for an unknown one."""
    delivery = deliveries.c
    row = connection.execute(
        select(delivery.id, delivery.record).where(
            delivery.account_id == account_id, delivery.id == delivery_id
        )
    ).first()
    return None if row is None else _delivery(*row)


def _delivery(delivery_id: str, record: bytes) -> ArchivedDelivery:
    return ArchivedDelivery(id=delivery_id, fields=parse_delivery_record(record))
