"""Ended deliveries in the history."""

from collections.abc import Sequence

from engine.history.archiving.closed_accounts import closed_accounts
from engine.history.archiving.execution_rows import Row
from engine.history.database.connections import Database
from engine.history.database.statements import upsert
from engine.history.packing import pack_compressed, unpack_compressed
from engine.history.schema import deliveries
from engine.store.archive.ended_deliveries import EndedDelivery


def write_deliveries(database: Database, batch: Sequence[EndedDelivery]) -> None:
    """Write deliveries; one with an older attempt than the archived one changes nothing.

    Deliveries of closed accounts are left out.
    """
    if not batch:
        return
    with database.write() as connection:
        closed = closed_accounts(connection, (each.account_id for each in batch))
        rows = [make_delivery_row(each) for each in batch if each.account_id not in closed]
        if rows:
            connection.execute(upsert(connection, deliveries, newer="fence"), rows)


def make_delivery_row(ended: EndedDelivery) -> Row:
    """Return the row of an ended delivery."""
    fields = ended.fields
    execution_id, batch_id = fields.get("execution"), fields.get("batch")
    return {
        "account_id": ended.account_id,
        "id": ended.delivery_id,
        "key_id": fields["key"].decode(),
        "execution_id": execution_id.decode() if execution_id else None,
        "event": fields["event"].decode(),
        "status": fields["status"].decode(),
        "created_at": int(fields["created"]),
        "settled_at": ended.settled_at,
        "url": fields["url"].decode(),
        "attempts": sum(name[0] == "a" and name[1:].isdigit() for name in fields),
        "fence": int(fields.get("fence", 0)),
        "record": pack_compressed(fields),
        "sequence": int(fields["sequence"]) if "sequence" in fields else None,
        "batch_id": batch_id.decode() if batch_id else None,
    }


def parse_delivery_record(record: bytes) -> dict[str, bytes]:
    """Return the fields of a delivery as Redis had them, of the column `record`."""
    fields: dict[str, bytes] = unpack_compressed(record)
    return fields
