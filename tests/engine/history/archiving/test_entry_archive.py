"""Archiving of the audit log over many partitions: its streams come in turn."""

import pytest
import redis
from sqlalchemy import select

from engine.history.archiving import entry_archive
from engine.history.archiving.entry_archive import AUDIT_ROTATION, EntryArchive
from engine.history.database.connections import Database
from engine.history.schema import audit_entries
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.redis.installation import mark, process_with

COUNT = 64
PARTS = ("by", "b", "action", "a", "before", "null", "after", "null", "subject")


def subjects(database: Database) -> list[str]:
    with database.read() as connection:
        rows = connection.execute(select(audit_entries.c.subject))
        return sorted(row.subject for row in rows)


async def test_a_rotation_archives_all_streams_and_asks_the_database_about_new_entries_alone(
    redis_url: str,
    redis_cleaner: redis.Redis,
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    position = entry_archive.audit_position
    monkeypatch.setattr(
        entry_archive,
        "audit_position",
        lambda database, stream: asked.append(stream) or position(database, stream),
    )
    mark(redis_cleaner, partition_count=COUNT)
    with process_with(COUNT):
        store = Store.open(settings)
        archive = EntryArchive(store, database)
        for key in (keyspace.audit(0), keyspace.audit(63), keyspace.models_audit()):
            await store.client.send("XADD", key, "7-0", *PARTS, key)

        counts = [await archive.archive_audit() for _ in range(AUDIT_ROTATION)]
        first = subjects(database)
        await store.client.send("XADD", keyspace.audit(63), "8-0", *PARTS, "later")
        counts += [await archive.archive_audit() for _ in range(AUDIT_ROTATION)]
        await store.close()

    assert first == sorted([keyspace.audit(0), keyspace.audit(63), keyspace.models_audit()])
    assert subjects(database) == sorted([*first, "later"])
    assert sum(counts) == 4
    assert sorted(asked) == [0, 63, 63, 64]
