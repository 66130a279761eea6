"""Ledger entries and administrative acts in the history, each once, by their positions."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from engine.history.archiving.closed_accounts import closed_accounts
from engine.history.archiving.execution_rows import plain
from engine.history.database.connections import Database
from engine.history.database.statements import in_batches, upsert
from engine.history.schema import (
    archive_state,
    audit_entries,
    ledger_carried,
    ledger_entries,
    ledger_positions,
)
from engine.store.archive.entries import AuditPart, LedgerPart, StreamPosition
from engine.store.audit import without_member

FACTS = ("before", "after")
"""Columns of administrative acts with JSON of facts."""


def ledger_position(connection: Connection, account_id: str) -> StreamPosition | None:
    """Return the last archived entry of an account's ledger; None before the first."""
    columns = ledger_positions.c.at, ledger_positions.c.number
    row = connection.execute(
        select(*columns).where(ledger_positions.c.account_id == account_id)
    ).first()
    return StreamPosition(*row) if row else None


def read_ledger_positions(
    database: Database, account_ids: Sequence[str]
) -> dict[str, StreamPosition]:
    """Return the last archived entries of the ledgers that have one."""
    positions: dict[str, StreamPosition] = {}
    with database.read() as connection:
        for some in in_batches(account_ids):
            rows = connection.execute(
                select(ledger_positions).where(ledger_positions.c.account_id.in_(some))
            )
            positions |= {account_id: StreamPosition(at, number) for account_id, at, number in rows}
    return positions


def write_ledger(database: Database, account_id: str, part: LedgerPart) -> StreamPosition | None:
    """Write the entries after the archived ones; return the last position, None without entries.

    The first write of an account also writes the sums of the entries that Redis has folded. Nothing
    of a closed account is written.
    """
    with database.write() as connection:
        if closed_accounts(connection, [account_id]):
            return None
        before = ledger_position(connection, account_id)
        if before is None:
            _write_carried(connection, account_id, part.carried)
        new = [(at, entry) for at, entry in part.entries if before is None or at > before]
        if new:
            connection.execute(
                insert(ledger_entries),
                [
                    {
                        "account_id": account_id,
                        "at": position.at,
                        "number": position.number,
                        "kind": entry.kind,
                        "bucket": entry.bucket,
                        "credits": entry.credits,
                        "reserved": entry.reserved,
                        "balance": entry.balance,
                        "execution_id": entry.execution_id,
                        "node": entry.node,
                        "note": plain(entry.note) if entry.note else None,
                        "child_id": entry.child_id,
                    }
                    for position, entry in new
                ],
            )
        last = new[-1][0] if new else before
        if last is not None and last != before:
            row = {"account_id": account_id, "at": last.at, "number": last.number}
            connection.execute(upsert(connection, ledger_positions), row)
        return last


def ledger_sums(connection: Connection, account_id: str) -> dict[str, int]:
    """Return the credits of all archived entries by bucket, and the reserved ones as ''.

    Entries of before the history and removed ones are included.
    """
    sums = {"": 0}
    for table in (ledger_entries, ledger_carried):
        rows = connection.execute(
            select(table.c.bucket, func.sum(table.c.credits), func.sum(table.c.reserved))
            .where(table.c.account_id == account_id)
            .group_by(table.c.bucket)
        )
        for bucket, credits, reserved in rows:
            if bucket:
                sums[bucket] = sums.get(bucket, 0) + int(credits)
            sums[""] += int(reserved)
    return sums


def audit_position(database: Database, stream: int) -> StreamPosition | None:
    """Return the last archived entry of a stream of the audit log; None before the first."""
    with database.read() as connection:
        return _audit_position(connection, stream)


def write_audit(database: Database, stream: int, part: AuditPart) -> StreamPosition | None:
    """Write the entries after the archived ones; return the last position, None without entries."""
    with database.write() as connection:
        before = _audit_position(connection, stream)
        new = [(at, words) for at, words in part.entries if before is None or at > before]
        if not new:
            return before
        erased = closed_accounts(connection, {words["subject"] for _, words in new})
        for _, words in new:
            if words["subject"] in erased:  # it was read before the account was erased
                words |= {name: without_member(words[name].encode()).decode() for name in FACTS}
        connection.execute(
            insert(audit_entries),
            [
                {
                    "at": position.at,
                    "number": position.number,
                    "stream": stream,
                    "by": words["by"],
                    "action": words["action"],
                    "subject": words["subject"],
                    "before": words["before"],
                    "after": words["after"],
                }
                for position, words in new
            ],
        )
        last = new[-1][0]
        row = {"name": _audit_name(stream), "value": str(last)}
        connection.execute(upsert(connection, archive_state), row)
        return last


def _write_carried(connection: Connection, account_id: str, carried: dict[str, int]) -> None:
    rows = [
        {
            "account_id": account_id,
            "bucket": bucket,
            "credits": credits if bucket else 0,
            "reserved": 0 if bucket else credits,
        }
        for bucket, credits in carried.items()
    ]
    if rows:
        connection.execute(upsert(connection, ledger_carried), rows)


def _audit_position(connection: Connection, stream: int) -> StreamPosition | None:
    value = connection.execute(
        select(archive_state.c.value).where(archive_state.c.name == _audit_name(stream))
    ).scalar()
    return StreamPosition.parse(value) if value else None


def _audit_name(stream: int) -> str:
    return f"audit.{stream:02d}"
