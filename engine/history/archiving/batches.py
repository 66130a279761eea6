"""Batches that are over, in the history."""

from collections.abc import Mapping, Sequence

from engine.executions.batches import BatchCounts
from engine.history.archiving.closed_accounts import closed_accounts
from engine.history.archiving.execution_rows import Row
from engine.history.database.connections import Database
from engine.history.database.statements import upsert
from engine.history.packing import pack_compressed, unpack_compressed
from engine.history.schema import batches
from engine.history.tag_lines import pack_tag_lines
from engine.store.archive.ended_batches import EndedBatchRecord
from engine.store.batches.records import HEAD_FIELDS, parse_batch
from engine.store.executions.record_fields import parse_name
from engine.store.formats import Format

CHUNKS = "chunks"
"""Field with the first index of each chunk, which are in `c0`, `c1` and so on."""


def write_batches(database: Database, found: Sequence[EndedBatchRecord]) -> None:
    """Write batches, also again; those of closed accounts are left out.

    Raises HistoryUnavailable, and ValueError for a record of a later format.
    """
    rows = [make_batch_row(each) for each in found]
    if not rows:
        return
    with database.write() as connection:
        closed = closed_accounts(connection, (each["account_id"] for each in rows))
        open_rows = [each for each in rows if each["account_id"] not in closed]
        if open_rows:
            connection.execute(upsert(connection, batches), open_rows)


def make_batch_row(ended: EndedBatchRecord) -> Row:
    """Return the row of a batch that is over. Raises ValueError for a record of a later format."""
    fields = ended.fields
    values = [fields.get(name) for name in HEAD_FIELDS]
    batch = parse_batch(ended.account_id, ended.batch_id, values)
    if batch is None or not Format.BATCH.knows(fields):
        raise ValueError("a record of a later format")
    inputs = {name: value for name, value in fields.items() if _is_of_chunks(name)}
    counts: BatchCounts = batch.counts
    return {
        "account_id": batch.account_id,
        "id": batch.id,
        "status": batch.status.value,
        "created_at": batch.created_at,
        "completed_at": batch.completed_at,
        "credits": batch.credits,
        "items": batch.size,
        "completed": counts.completed,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "workflow_slug": batch.slug,
        "workflow_version": None if batch.owner_id else batch.version,
        "owner_id": batch.owner_id or None,
        "key_id": batch.key_id or None,
        "retry_of": batch.retry_of or None,
        "tags": pack_tag_lines(batch.tags),
        "has_objects": any(parse_name(value) is not None for value in inputs.values()),
        "record": pack_compressed({n: value for n, value in fields.items() if n not in inputs}),
        "inputs": pack_compressed(inputs),
    }


def parse_batch_record(record: bytes, inputs: bytes | None = None) -> Mapping[str, bytes]:
    """Return the fields of a batch as Redis had them, of these columns; without inputs: others."""
    fields: dict[str, bytes] = unpack_compressed(record)
    return fields if inputs is None else fields | unpack_compressed(inputs)


def _is_of_chunks(name: str) -> bool:
    return name == CHUNKS or (name[0] == "c" and name[1:].isdigit())
