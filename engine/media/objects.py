"""Object store of media and large values: a folder, or a bucket of an S3 server.

The library is imported when first used: it takes 5 MB, and many processes never store an object.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple
from urllib.parse import unquote, urlsplit

from engine.errors import StorageFailed, StorageStalled
from engine.media.disk import Disk, DiskGuard, measure_disk
from engine.media.folder import (
    OpenFile,
    check_path,
    flush_file,
    list_keys,
    list_sizes,
    open_file,
    read_file,
    remove_drafts,
    remove_folder,
)
from engine.media.ranges import ByteRange
from engine.settings import SettingError, Settings

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

VARIABLE = "HEADRACE_MEDIA_URL"
PART_BYTES = 5_242_880
"""Smallest part of a multipart upload to S3."""
PARTS_AT_ONCE = 1
PIECE_BYTES = 262_144
LISTED_AT_ONCE = 1_000
FIX = f"Run `headrace doctor`, which tries {VARIABLE}"
PROBE = "doctor"
THREADS = 16
REQUEST_TIME = timedelta(seconds=60)
RETRY_TIME = timedelta(seconds=10)
STALL_SECONDS = 30.0
"""Longest time for one piece of a transfer, and for its completion."""

T = TypeVar("T")
Args = TypeVarTuple("Args")

log = logging.getLogger(__name__)


class ObjectStore:
    """Stores, reads and deletes objects by key. Every call may raise StorageFailed.

    Its library starts threads, so create it in the process that uses it, after any fork.
    """

    def __init__(self, url: str, free_bytes: int = 0) -> None:
        self._free_bytes = free_bytes
        self._guard = DiskGuard(self._measure)
        self._folder = _folder_of(url)
        self._url = url
        self._part_bytes = PART_BYTES if self._folder is None else PIECE_BYTES
        self._store: LocalStore | S3Store | None = None
        # A hanging folder blocks only these threads, not the default executor.
        self._threads = ThreadPoolExecutor(THREADS, "media")

    @classmethod
    def from_settings(cls, settings: Settings) -> "ObjectStore":
        """Create the store of the settings' media URL. Raises SettingError."""
        return cls(settings.media_url, settings.media_free_bytes)

    @property
    def is_set(self) -> bool:
        """True if a media URL is set."""
        return bool(self._url)

    async def put_stream(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Store a stream atomically, however slow it is.

        Raises the errors of `pieces`, and StorageStalled if the store does not answer.
        """
        first = bytearray()
        async for piece in pieces:
            first += piece
            if len(first) >= self._part_bytes:
                break
        else:
            if not await self.put(key, bytes(first)):
                raise StorageFailed
            return
        source = _Source(bytes(first), self._admit_pieces(pieces))
        try:
            async with _with_timeout() as clock:
                await self._admit(len(first))
                await self._put_parts(key, source.pieces(clock))
        except StorageFailed:
            if source.failure is not None:
                raise source.failure from None
            raise

    async def _put_parts(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        import obstore

        await obstore.put_async(
            await self._checked_store(key),
            key,
            pieces,
            chunk_size=self._part_bytes,
            max_concurrency=PARTS_AT_ONCE,
        )
        await self._flush(key)

    async def write(self, key: str, data: bytes) -> None:
        """Store an object atomically, replacing an existing one."""
        import obstore

        try:
            with _storing():
                store = await self._checked_store(key)
                await self._admit(len(data))
                await obstore.put_async(store, key, data, use_multipart=False)
                await self._flush(key)
        except FileNotFoundError as error:  # the folder was removed during the write
            raise StorageFailed from error

    async def put(self, key: str, data: bytes) -> bool:
        """Create an object; return False and leave it unchanged if it exists.

        Raises StorageStalled.
        """
        async with _with_timeout():
            return await self._put_new(key, data)

    async def _put_new(self, key: str, data: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        store = await self._checked_store(key)
        await self._admit(len(data))
        try:
            await obstore.put_async(store, key, data, mode="create")
        except (AlreadyExistsError, FileExistsError):
            return False
        await self._flush(key)
        return True

    async def stream(self, key: str, part: ByteRange | None = None) -> AsyncIterator[bytes]:
        """Stream an object or a range of it.

        Raises FileNotFoundError before it returns, and StorageStalled, also for each piece.
        """
        async with _with_timeout():
            if self._folder is not None:
                file = await self._in_thread(open_file, self._folder, key)
                return self._file_pieces(file, part)
            import obstore

            if part is None:
                got = await obstore.get_async(self._open(), key)
            else:
                span = (part.start, part.end)
                got = await obstore.get_async(self._open(), key, options={"range": span})
        return _pieces(got.stream(min_chunk_size=PIECE_BYTES))

    async def read(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return up to `max_bytes` of an object. Raises FileNotFoundError and StorageStalled."""
        if self._folder is not None:
            async with _with_timeout():
                return await self._in_thread(read_file, self._folder, key, max_bytes)
        part = None if max_bytes is None else ByteRange(0, max_bytes)
        return b"".join([piece async for piece in await self.stream(key, part)])

    async def delete(self, *keys: str) -> None:
        """Delete objects; missing ones are ignored."""
        import obstore

        with _storing():
            if self._folder is None:
                await obstore.delete_async(self._open(), list(keys))
                return
            for key in keys:
                with contextlib.suppress(FileNotFoundError):
                    await obstore.delete_async(await self._checked_store(key), key)
            await self._in_thread(remove_drafts, self._folder, keys)

    async def remove_all(self, prefix: str) -> None:
        """Delete all objects with a prefix, which ends with a slash."""
        with _storing():
            if self._folder is not None:
                await self._in_thread(remove_folder, self._folder, prefix)
                return
            import obstore

            async for names in self.names(prefix):
                await obstore.delete_async(self._open(), names)

    async def names(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        """Yield the keys with a prefix, which ends with a slash, a thousand at a time."""
        with _storing():
            if self._folder is not None:
                keys = list_keys(self._folder, prefix)
                while names := await self._in_thread(lambda: list(islice(keys, LISTED_AT_ONCE))):
                    yield names
                return
            import obstore

            stream = obstore.list(self._open(), prefix, chunk_size=LISTED_AT_ONCE)
            async for rows in stream:
                yield [row["path"] for row in rows]

    async def sizes(self) -> AsyncIterator[Sequence[tuple[str, int]]]:
        """Yield keys and bytes of all objects, a thousand at a time; nothing without a store."""
        if not self._url:
            return
        with _storing():
            if self._folder is not None:
                found = list_sizes(self._folder)
                while part := await self._in_thread(lambda: list(islice(found, LISTED_AT_ONCE))):
                    yield part
                return
            import obstore

            async for rows in obstore.list(self._open(), chunk_size=LISTED_AT_ONCE):
                yield [(row["path"], row["size"]) for row in rows]

    async def _file_pieces(self, file: OpenFile, part: ByteRange | None) -> AsyncIterator[bytes]:
        at, end = (part.start, part.end) if part else (0, sys.maxsize)
        while piece := await self._read_piece(file, at, min(PIECE_BYTES, end - at)):
            yield piece
            at += len(piece)

    async def _read_piece(self, file: OpenFile, at: int, size: int) -> bytes:
        async with _with_timeout():
            return await self._in_thread(file.read, at, size)

    async def disk(self) -> Disk | None:
        """Return the folder's disk; None for a bucket. Raises StorageStalled."""
        if self._folder is None:
            return None
        async with _with_timeout():
            return await self._measure()

    async def require_space(self) -> None:
        """Raise StorageFailed if there is no space to store an object. Raises StorageStalled."""
        async with _with_timeout():
            await self._admit(1)

    async def _admit_pieces(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            async with _with_timeout():
                await self._admit(len(piece))
            yield piece

    async def _admit(self, size: int) -> None:
        if self._folder is not None and self._free_bytes:
            await self._guard.admit(size)

    async def _measure(self) -> Disk:
        return await self._in_thread(measure_disk, self._folder or Path(), self._free_bytes)

    async def check(self) -> None:
        """Write, read and delete a probe object."""
        key = f"{PROBE}/{id(self)}"
        await self.delete(key)
        await self.put(key, b"here")
        if await self.read(key, 16) != b"here":
            raise StorageFailed("The media store returns other bytes than those written")
        await self.delete(key)

    async def _in_thread(self, function: Callable[[*Args], T], *args: *Args) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    async def _flush(self, key: str) -> None:
        """Flush a file to the disk, since its record may be durable before it otherwise."""
        if self._folder is not None:
            await self._in_thread(flush_file, self._folder, self._folder / key)

    async def _checked_store(self, key: str) -> "LocalStore | S3Store":
        """Return the store after checking the key's path for links, which a folder's follows."""
        store = self._open()
        if self._folder is not None:
            await self._in_thread(check_path, self._folder, key)
        return store

    def _open(self) -> "LocalStore | S3Store":
        if self._store is None:
            if not self._url:
                raise StorageFailed(f"There is no place for media: {VARIABLE} is not set")
            from obstore.store import LocalStore, S3Store

            if self._folder is None:
                self._store = S3Store.from_url(
                    self._url,
                    client_options={"allow_http": True, "timeout": REQUEST_TIME},
                    retry_config={"max_retries": 2, "retry_timeout": RETRY_TIME},
                )
            else:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._store = LocalStore(self._folder)
        return self._store


def _folder_of(url: str) -> Path | None:
    """Return the folder of a URL; None for a bucket. Raises SettingError."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return Path(unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc or not url:
        return None
    raise SettingError(f"{VARIABLE}: use file:///FOLDER or s3://BUCKET/PREFIX")


class _Source:
    """Source of a stored stream, which records its own failure apart from the store's."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes]) -> None:
        self._first = first
        self._rest = rest
        self.failure: Exception | None = None

    async def pieces(self, clock: asyncio.Timeout) -> AsyncIterator[bytes]:
        """Yield the pieces; the timeout is suspended while the source is awaited."""
        yield self._first
        _reschedule(clock, None)
        try:
            async for piece in self._rest:
                _reschedule(clock, STALL_SECONDS)
                yield piece
                _reschedule(clock, None)
        except Exception as error:
            self.failure = error
            raise
        finally:
            _reschedule(clock, STALL_SECONDS)


async def _pieces(stream: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    rest = aiter(stream)
    while (piece := await _next_piece(rest)) is not None:
        yield bytes(piece)


async def _next_piece(rest: AsyncIterator[Any]) -> Any:
    async with _with_timeout():
        return await anext(rest, None)


@contextlib.asynccontextmanager
async def _with_timeout() -> AsyncIterator[asyncio.Timeout]:
    """Like `_storing`, with a timeout that raises StorageStalled."""
    with _storing():
        try:
            async with asyncio.timeout(STALL_SECONDS) as clock:
                yield clock
        except TimeoutError:
            log.error("the place for media does not answer", extra={"fix": FIX})
            raise StorageStalled from None


def _reschedule(clock: asyncio.Timeout, seconds: float | None) -> None:
    with contextlib.suppress(RuntimeError):  # the timeout has expired already
        clock.reschedule(seconds and asyncio.get_running_loop().time() + seconds)


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    """Convert errors to StorageFailed; the library's messages name folders and buckets."""
    try:
        yield
    except (FileNotFoundError, StorageFailed):
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not _is_of_library(error):
            raise
        extra = {"reason": _reason(error), "fix": FIX}
        log.error("media cannot be stored or read", extra=extra)
        raise StorageFailed from error


def _is_of_library(error: Exception) -> bool:
    from obstore.exceptions import BaseError

    return isinstance(error, BaseError)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"
