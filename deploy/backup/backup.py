"""Backup of a running installation: its Redis, its history, and a list of its media."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from deploy.admin.history_database import find_database, reason_of
from deploy.backup.archive import ArchiveWriter, create_archive
from deploy.backup.local_server import serving_folder
from deploy.backup.manifest import (
    FORMAT,
    MEDIA_PART,
    HistoryPart,
    Manifest,
    MediaPart,
    RedisPart,
    redis_part,
    table_part,
)
from deploy.backup.media_list import MediaObject, pack_objects
from deploy.backup.progress import ProgressLines, shown_bytes
from deploy.backup.row_files import pack_rows
from deploy.backup.target import FOLDER, has_redis, locked
from deploy.output.problems import CommandFailed
from deploy.stack.installation import redis_address
from deploy.stack.location import MEDIA_URL, REDIS_URL, Stack, find_stack, media_url, require_whole
from deploy.stack.secret_key import VARIABLE, find_key
from deploy.stack.store_access import explained, open_store
from engine.errors import EngineError, Unavailable
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.transfer.export import FrozenHistory, freeze
from engine.media.objects import ObjectStore
from engine.services.old_processes import find_living_processes
from engine.settings import load
from engine.store import Store
from engine.store.archive.state import ANOTHER_DATABASE, ArchiverStates
from engine.store.redis.address import RedisAddress
from engine.store.redis.installation import Marker, find_marker
from engine.store.redis.snapshot.sources import find_primaries, open_snapshot
from engine.store.redis.snapshot.stream import SnapshotRefused, SnapshotStream
from engine.telemetry.metrics import VERSION
from engine.values.plain import moment

Row = dict[str, Any]


async def back_up(data_dir: Path, path: Path, progress: ProgressLines) -> Row:
    """Write a backup of the stack to a new file; return facts about it. Raises CommandFailed."""
    async with _serving(data_dir) as stack, open_store(stack.redis_url, stack.settings) as store:
        database = find_database(data_dir)
        with create_archive(path, progress.report) as archive, explained():
            manifest = await Backup(stack, store, database, archive, progress).write()
    row = _row(path, manifest)
    progress.say(f"{path} is whole: {shown_bytes(row['bytes'])}")
    return row


@asynccontextmanager
async def _serving(data_dir: Path) -> AsyncIterator[Stack]:
    """Yield the running stack; of one that is stopped, run the Redis of its data directory."""
    async with AsyncExitStack() as stack:
        folder = _lock_stopped(data_dir, stack)
        if folder is None:
            yield find_stack(data_dir)
            return
        require_whole(folder)
        settings = {MEDIA_URL: media_url(folder, os.environ), VARIABLE: find_key(folder)}
        url = await stack.enter_async_context(serving_folder(folder / FOLDER))
        yield Stack(data_dir=folder, redis_url=url, settings=settings)


def _lock_stopped(data_dir: Path, stack: AsyncExitStack) -> Path | None:
    """Lock a data directory with a Redis of its own; None where there is none, or it runs."""
    if os.environ.get(REDIS_URL) or not has_redis(data_dir):
        return None
    try:
        return stack.enter_context(locked(data_dir))
    except CommandFailed:
        return None


class Backup:
    """One backup: Redis first, then the history as it was at that moment, then the media's list."""

    def __init__(
        self,
        stack: Stack,
        store: Store,
        database: Database,
        archive: ArchiveWriter,
        progress: ProgressLines,
    ) -> None:
        self._stack = stack
        self._address = redis_address(stack.redis_url, stack.settings)
        self._store = store
        self._database = database
        self._archive = archive
        self._progress = progress

    async def write(self) -> Manifest:
        """Write all parts. Raises CommandFailed, Unavailable and OSError."""
        marker = await self._marker()
        await self._require_rest()
        redis: list[RedisPart] = []
        async with self._frozen() as history:
            for number, address in enumerate(await find_primaries(self._address)):
                stream = await self._open_stream(address)
                try:
                    if history is not None:
                        history.thaw()
                    redis.append(await self._save(number, stream))
                finally:
                    stream.close()
            saved = self._save_history(history) if history is not None else None
        manifest = Manifest(
            format=FORMAT,
            headrace=VERSION,
            taken_at=moment(1000 * max(each.taken_at for each in redis)),
            installation_ids=list(marker.ids),
            schema_version=marker.schema,
            partitions=marker.partitions,
            redis=redis,
            history=saved,
            media=await self._save_media(),
            parts=self._archive.parts,
        )
        self._archive.finish(manifest)
        return manifest

    async def _marker(self) -> Marker:
        marker = await find_marker(self._address)
        if marker is None:
            raise CommandFailed("The Redis of this stack holds no Headrace installation any more.")
        return marker

    async def _require_rest(self) -> None:
        """Raise CommandFailed while processes use a cluster, whose primaries share no moment."""
        if not self._address.is_cluster:
            return
        names = await find_living_processes(self._store)
        if names:
            raise CommandFailed(
                "A cluster is saved primary by primary, so nothing may change meanwhile: stop all "
                "gateways and workers, and back up half a minute after the last has stopped "
                f"(alive: {', '.join(names)})."
            )

    async def _open_stream(self, address: RedisAddress) -> SnapshotStream:
        self._progress.say(f"waits for the snapshot of {address}")
        try:
            return await open_snapshot(address)
        except SnapshotRefused as error:
            raise CommandFailed(str(error)) from error

    async def _save(self, number: int, stream: SnapshotStream) -> RedisPart:
        name = redis_part(number)
        self._progress.say("saves the state of Redis")
        try:
            with self._archive.part(name) as part:
                async for piece in stream.pieces():
                    part.write(piece)
        except Unavailable as error:
            raise CommandFailed(f"{error.message}.") from error
        return RedisPart(
            part=name,
            database=self._address.db,
            server=stream.facts.server,
            version=stream.facts.version,
            taken_at=stream.facts.taken_at,
        )

    @asynccontextmanager
    async def _frozen(self) -> AsyncIterator[FrozenHistory | None]:
        """Keep the archiver out; None for an installation without a history."""
        installed = await ArchiverStates(self._store.client).database_id()
        async with AsyncExitStack() as stack:
            frozen = freeze(self._database)
            try:
                # In a thread: another writer may be waited for.
                history = await asyncio.to_thread(frozen.__enter__)
                stack.push(frozen.__exit__)
                if installed not in ("", history.database_id):
                    raise HistoryUnavailable(ANOTHER_DATABASE)
            except HistoryUnavailable as error:
                if installed:
                    raise reason_of(error) from error
                history = None
            try:
                yield history
            except HistoryUnavailable as error:
                raise reason_of(error) from error

    def _save_history(self, history: FrozenHistory) -> HistoryPart:
        self._progress.say("saves the history")
        counts: dict[str, int] = {}
        for table in history.tables:
            counts[table] = -1  # the first has the columns
            with self._archive.part(table_part(table)) as part:
                for data in pack_rows(history.columns(table), history.rows(table)):
                    part.write(data)
                    counts[table] += 1
        return HistoryPart(revision=history.revision, database_id=history.database_id, rows=counts)

    async def _save_media(self) -> MediaPart:
        self._progress.say("lists the media")
        objects = ObjectStore.from_settings(load({**self._stack.settings, **os.environ}))
        count = size = 0
        try:
            with self._archive.part(MEDIA_PART) as part:
                async for found in objects.sizes():
                    part.write(pack_objects([MediaObject(*each) for each in found]))
                    count += len(found)
                    size += sum(each[1] for each in found)
        except EngineError as error:
            raise CommandFailed(f"The media cannot be listed: {error.message}.") from error
        return MediaPart(objects=count, bytes=size)


def _row(path: Path, manifest: Manifest) -> Row:
    rows = manifest.history.rows if manifest.history else {}
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "takenAt": manifest.taken_at,
        "schemaVersion": manifest.schema_version,
        "partitions": manifest.partitions,
        "redisBytes": sum(manifest.parts[each.part].bytes for each in manifest.redis),
        "historyExecutions": rows.get("executions"),
        "mediaObjects": manifest.media.objects,
        "mediaBytes": manifest.media.bytes,
    }
