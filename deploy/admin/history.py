"""The history for the administrative commands: its tables, its state and its export."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec

from deploy.admin.checks import Check
from deploy.admin.history_database import reason_of
from engine.errors import EngineError
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.history.migrations.revisions import newest_revision, revision_of
from engine.history.reading.reports import count_executions, read_exported
from engine.store import Store
from engine.store.archive.state import ArchiverStates
from engine.values.plain import moment

Row = dict[str, Any]

NO_HISTORY = (
    "none: nothing was ever archived, and HEADRACE_DATABASE_URL is not set here; Redis keeps what "
    "has ended for HEADRACE_RETENTION_DAYS"
)

_encode = msgspec.json.Encoder().encode


def migrate_database(database: Database) -> Row:
    """Migrate; return the database and its revision. Raises CommandFailed."""
    try:
        return {"database": database.shown_url, "revision": migrate(database)}
    except HistoryUnavailable as error:
        raise reason_of(error) from error


async def read_status(store: Store, database: Database) -> Row:
    """Return how far the archive is."""
    health = await ArchiverStates(store.client).health()
    error = health.problem()
    revision, count = "", None
    try:
        database.expect(health.state.database_id)
        revision = await asyncio.to_thread(revision_of, database)
        count = await asyncio.to_thread(count_executions, database) if revision else 0
    except HistoryUnavailable as failure:
        error = error or failure.reason
    return {
        "database": database.shown_url,
        "revision": revision,
        "isCurrent": revision == newest_revision(),
        "executions": count,
        "archivedUntil": moment(health.executions.oldest_at or (None if error else health.now)),
        "waiting": health.executions.count,
        "waitingDeliveries": health.deliveries.count,
        "waitingOccurrences": health.occurrences.count,
        "refused": health.state.refused,
        "refusedRecords": dict(health.state.refusals),
        "error": error or None,
    }


async def check_history(store: Store, database: Database, *, is_named: bool) -> Check:
    """Check that what has ended goes to the history, if the installation has one.

    It has none by choice when no setting names the database and no archiver ever ran.
    """
    try:
        if not is_named and not (await ArchiverStates(store.client).read()).has_begun:
            return _check(seen=NO_HISTORY, is_well=True)
        row = await read_status(store, database)
    except (EngineError, RuntimeError) as error:
        return _check(seen=f"its state cannot be read: {error}", is_well=False)
    if row["error"]:
        return _check(seen=row["error"], is_well=False)
    return _check(seen=f"{row['executions']} executions; {row['waiting']} wait", is_well=True)


def _check(*, seen: str, is_well: bool) -> Check:
    return Check(
        name="history",
        is_well=is_well,
        seen=seen,
        fix="Start the database that HEADRACE_DATABASE_URL names, the same for all parts and as "
        "before, run `headrace migrate`, and look at the log of the workers. Until then Redis "
        "keeps all. `headrace history status` names the records that cannot be archived.",
    )


def export_executions(
    database: Database, *, account_id: str | None, from_ms: int | None, to_ms: int | None
) -> Iterator[bytes]:
    """Yield archived executions as lines of JSON, by account and time. Raises CommandFailed."""
    try:
        for row in read_exported(database, account_id=account_id, from_ms=from_ms, to_ms=to_ms):
            yield _encode(row) + b"\n"
    except HistoryUnavailable as error:
        raise reason_of(error) from error
