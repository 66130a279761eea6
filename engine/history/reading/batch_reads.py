"""Reads of archived batches."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select, tuple_

from engine.executions.filter import Position
from engine.history.archiving.batches import parse_batch_record
from engine.history.database.statements import in_batches
from engine.history.schema import batches
from engine.store.archive.archive import ArchivedBatch, ExecutionIds

OF = batches.c


def read_batch(
    connection: Connection, account_id: str, batch_id: str
) -> Mapping[str, bytes] | None:
    """Return the record of a batch as Redis had it, None for an unknown one."""
    query = select(OF.record, OF.inputs).where(OF.account_id == account_id, OF.id == batch_id)
    row = connection.execute(query).first()
    return None if row is None else parse_batch_record(row.record, row.inputs)


def read_batches(
    connection: Connection, account_id: str, after: Position | None, limit: int
) -> Sequence[ArchivedBatch]:
    """Return the batches of an account after a row, newest first, without their items' inputs."""
    query = select(OF.id, OF.record).where(OF.account_id == account_id)
    if after is not None:
        query = query.where(tuple_(OF.created_at, OF.id) < tuple_(*after))
    rows = connection.execute(query.order_by(OF.created_at.desc(), OF.id.desc()).limit(limit))
    return [ArchivedBatch(id=row.id, fields=parse_batch_record(row.record)) for row in rows]


def find_known_batches(connection: Connection, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
    """Return the batches that the database has."""
    columns = OF.account_id, OF.id
    known: set[ExecutionIds] = set()
    for some in in_batches(list(ids)):
        rows = connection.execute(select(*columns).where(tuple_(*columns).in_(some)))
        known.update((account_id, batch_id) for account_id, batch_id in rows)
    return known
