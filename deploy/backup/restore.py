"""Restoring of a backup into an empty Redis or data directory, with the stack stopped."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from deploy.admin.history_database import reason_of
from deploy.backup.archive import ArchiveReader, open_archive_file
from deploy.backup.local_server import DUMP, serving_dump
from deploy.backup.manifest import MEDIA_PART, HistoryPart, Manifest, RedisPart, table_part
from deploy.backup.media_list import count_missing
from deploy.backup.progress import ProgressLines
from deploy.backup.row_files import read_rows
from deploy.backup.target import DataDirectory, locked
from deploy.output.problems import CommandFailed
from deploy.stack.installation import redis_address
from deploy.stack.location import (
    database_url,
    media_url,
)
from deploy.stack.secret_key import VARIABLE, find_key
from deploy.stack.store_access import explained
from engine.access.sealing import Sealer
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.revisions import REVISIONS
from engine.history.transfer.load import loading, require_empty
from engine.media.objects import ObjectStore
from engine.settings import load
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.cluster.opening import open_client
from engine.store.redis.installation import SCHEMA, mark
from engine.store.redis.snapshot.copying import KeyCopier, UnknownKind
from engine.store.redis.snapshot.restoring import NotEmpty, begin_restore, finish_restore

Row = dict[str, Any]


async def restore(data_dir: Path, path: Path, progress: ProgressLines) -> Row:
    """Restore a backup; return facts about it. Raises CommandFailed and OSError."""
    with open_archive_file(path) as archive, locked(data_dir) as folder, explained():
        target = DataDirectory(folder, os.environ)
        restoring = Restore(archive, folder, target, progress)
        restoring.check()
        progress.say("checks the parts of the backup")
        archive.verify(progress.report)
        return await restoring.run()


class Restore:
    """One restore: the keys of Redis, then the history, then the marker that lets both be used."""

    def __init__(
        self, archive: ArchiveReader, data_dir: Path, target: DataDirectory, progress: ProgressLines
    ) -> None:
        self._archive = archive
        self._manifest = archive.manifest
        self._data_dir = data_dir
        self._target = target
        self._progress = progress
        self._sealer = Sealer.from_secret_key(find_key(data_dir))
        self._database = Database(database_url(data_dir, os.environ))

    def check(self) -> None:
        """Check what needs no Redis. Raises CommandFailed."""
        check_versions(self._manifest)
        check_key(self._manifest, self._sealer)
        self._target.require_empty()
        if self._manifest.history is not None:
            with _explained_history():
                require_empty(self._database)

    async def run(self) -> Row:
        """Restore. Raises CommandFailed, Unavailable and OSError."""
        async with self._target.filling() as url:
            address = redis_address(url)
            target = open_client(address)
            try:
                await _begin(target)
                keys, marker = 0, dict[bytes, bytes]()
                for part in self._manifest.redis:
                    count, found = await self._copy(part, target)
                    keys, marker = keys + count, marker | found
                self._load_history()
                await finish_restore(target, marker)
                await mark(address, self._sealer)
            finally:
                await target.close()
        self._progress.say(f"restored {keys:,} keys of Redis, as of {self._manifest.taken_at}")
        return self._row(keys, await self._count_missing())

    async def _copy(self, part: RedisPart, target: Client) -> tuple[int, dict[bytes, bytes]]:
        """Copy the keys of one snapshot; return their number, and the marker if it has it."""
        self._progress.say("restores the state of Redis")
        marker = keyspace.installation().encode()
        async with self._served(part) as source:
            copier = KeyCopier(source, target)
            try:
                count = await copier.copy_all(
                    lambda key: keyspace.is_ours(key) and key != marker,
                    lambda number: self._progress.count("keys", number),
                )
            except UnknownKind as error:
                raise CommandFailed(f"A key of the backup cannot be restored: {error}.") from error
            return count, dict(await source.send("HGETALL", keyspace.installation()))

    @asynccontextmanager
    async def _served(self, part: RedisPart) -> AsyncIterator[Client]:
        """Yield a client of a server that has loaded a snapshot."""
        async with AsyncExitStack() as stack:
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix=".dump-", dir=self._data_dir)
                )
            )
            with (folder / DUMP).open("wb") as file:
                for piece in self._archive.pieces(part.part):
                    file.write(piece)
            url = await stack.enter_async_context(serving_dump(folder))
            client = Client(RedisAddress.parse(f"{url}?db={part.database}"))
            stack.push_async_callback(client.close)
            yield client

    def _load_history(self) -> None:
        history = self._manifest.history
        if history is None:
            return
        self._progress.say("restores the history")
        with _explained_history(), loading(self._database, history.revision) as loader:
            for table in history.rows:
                with self._archive.open(table_part(table)) as stream:
                    columns, rows = read_rows(stream)
                    loader.load(table, columns, rows)
        self._database.close()

    async def _count_missing(self) -> int:
        """Return how many of the listed media are not in the media store of this environment."""
        url = media_url(self._data_dir, os.environ)
        store = ObjectStore.from_settings(load({**os.environ, "HEADRACE_MEDIA_URL": url}))
        with self._archive.open(MEDIA_PART) as listed:
            missing = await count_missing(listed, store)
        if missing:
            self._progress.say(
                f"{missing:,} of {self._manifest.media.objects:,} media are not in {url} yet: "
                "copy them from the old place"
            )
        return missing

    def _row(self, keys: int, missing: int) -> Row:
        history = self._manifest.history
        return {
            "takenAt": self._manifest.taken_at,
            "redis": self._target.shown,
            "keys": keys,
            "history": self._database.shown_url if history else None,
            "historyExecutions": history.rows.get("executions") if history else None,
            "missingMedia": missing,
        }


def check_versions(manifest: Manifest) -> None:
    """Raise CommandFailed for a backup that a newer version of Headrace wrote."""
    history: HistoryPart | None = manifest.history
    if manifest.schema_version > SCHEMA or (history and history.revision not in REVISIONS):
        raise CommandFailed(
            f"The backup is of a newer Headrace ({manifest.headrace}), whose schema is not known "
            "here: install that version or a later one."
        )


def check_key(manifest: Manifest, sealer: Sealer) -> None:
    """Raise CommandFailed unless a key is set that was one of the installation's."""
    if not sealer.has_key:
        raise CommandFailed(
            f"The key for secrets is missing: set {VARIABLE} to that of the old installation, or "
            "put its secret.key into the data directory."
        )
    if not set(sealer.installation_ids) & set(manifest.installation_ids):
        raise CommandFailed(
            f"The key for secrets is that of another installation: set {VARIABLE} to the key that "
            "the backup's installation had, beside a new one if you like (NEW,OLD)."
        )


async def _begin(target: Client) -> None:
    try:
        await begin_restore(target)
    except NotEmpty as error:
        raise CommandFailed(str(error)) from error


@contextmanager
def _explained_history() -> Iterator[None]:
    try:
        yield
    except HistoryUnavailable as error:
        raise reason_of(error) from error
