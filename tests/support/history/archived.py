"""Executions of one account in Redis, in the history, or in both."""

import functools
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.graph.plan import NodeName, unpack_names
from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.reading.archive import HistoryArchive
from engine.ids.partitions import partition_of
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Store
from engine.store.archive.archive import OpenArchive
from engine.store.archive.ended_executions import EndedExecutions, EndedRecord
from engine.store.redis import keyspace


@dataclass(frozen=True, slots=True)
class History:
    """Moves executions into the history as the archiver does."""

    store: Store
    database: Database

    @property
    def ended(self) -> EndedExecutions:
        """Return the archiver's side of Redis."""
        return EndedExecutions(self.store.client)

    async def put(self, records: Iterable[EndedRecord]) -> None:
        """Write records of ended executions into Redis."""
        client = self.store.client
        for each in records:
            account_id, execution_id = each.account_id, each.execution_id
            fields = [word for pair in each.fields.items() for word in pair]
            partition = partition_of(account_id)
            await client.send("HSET", keyspace.execution(account_id, execution_id), *fields)
            created, completed = each.fields["created"], each.fields["completed"]
            for key, at, name in (
                (keyspace.account_executions(account_id), created, execution_id),
                (keyspace.finished(partition), completed, each.reference),
                (keyspace.unarchived(partition), completed, each.reference),
            ):
                await client.send("ZADD", key, at, name)

    async def archive(self, references: Sequence[str]) -> None:
        """Write ended executions into the database; Redis keeps them."""
        records = (await self.ended.read(references)).records
        assert len(records) == len(set(references))
        write_executions(self.database, [make_rows(each, _names(each)) for each in records])
        await self.ended.mark_archived(references)

    async def forget(self, references: Sequence[str]) -> None:
        """Remove archived executions from Redis."""
        later = await self.store.leases.now() + 60_000
        facts = await self.ended.last_facts(references)
        for each in references:
            assert await self.ended.forget(each, later, facts[each].retry)

    async def move(self, *references: str) -> None:
        """Leave executions to the database alone."""
        await self.archive(references)
        await self.forget(references)


@asynccontextmanager
async def opened(settings: Settings, database: Database) -> AsyncIterator[History]:
    """Open a store that reads the database too."""
    store = Store.open(settings, ObjectStore.from_settings(settings), reading(database))
    yield History(store, database)
    await store.close()


def reading(database: Database) -> OpenArchive:
    """Return what opens an archive of a database."""
    return functools.partial(HistoryArchive, lambda: database)


def silent_archive() -> OpenArchive:
    """Return what opens an archive whose database does not answer."""
    return reading(Database("postgresql://127.0.0.1:1/none"))


async def none_installed() -> str:
    """Return the id of the database of an installation without a history."""
    return ""


def _names(record: EndedRecord) -> Sequence[NodeName]:
    return unpack_names(record.fields.get("names", b"\x90"))
