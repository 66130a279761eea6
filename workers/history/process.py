"""The archiver's process: a worker that leads the archivers runs it as a child of its own.

It is a process rather than a task, so that packing and writing never delay a run, and it has a low
priority. Two at a time, as after a lost lead, write nothing twice.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import msgspec
import uvloop

from engine import log, metrics
from engine.errors import EngineError
from engine.history.archiving import kept_ms
from engine.history.database import Database
from engine.history.retention import Retention
from engine.media.objects import ObjectStore
from engine.process import setup
from engine.services.background_tasks import background
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.worker_leases import make_worker_id
from workers.history.archiver import Archiver

LEAD_SECONDS = 5.0
RENEW_SECONDS = 1.5
NICENESS = 10
STOP_SECONDS = 5.0
COMMAND = (sys.executable, "-P", "-c", "from workers.history.process import main; main()")


class ArchiverProcess:
    """Runs the archiver's process for as long as this worker leads."""

    def __init__(self, store: Store, settings: Settings, worker_id: str) -> None:
        self._store = store
        self._settings = settings
        self._worker_id = worker_id
        self.process: Process | None = None

    async def run(self) -> None:
        """Take the lead and run the process, until cancelled."""
        try:
            while True:
                await self.step()
                await asyncio.sleep(RENEW_SECONDS)
        finally:
            await self._stop()

    async def step(self) -> None:
        """Renew the lead, or ask for it; start or stop the process accordingly."""
        try:
            lead = await self._store.leases.take_lead(
                self._worker_id, int(LEAD_SECONDS * 1000), key=keyspace.archiver()
            )
        except EngineError:
            return  # the process waits for Redis itself
        is_running = self.process is not None and self.process.returncode is None
        if lead.is_own and not is_running:
            await self._start()
        elif not lead.is_own and is_running:
            await self._stop()

    async def _start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE)
        if self.process.stdin is not None:
            # Not in its environment or arguments, where others of this machine may read secrets.
            self.process.stdin.write(msgspec.json.encode(self._settings) + b"\n")

    async def _stop(self) -> None:
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def main() -> None:
    """Archive until the parent ends or sends SIGTERM; the settings come by standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent ends this process
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=Settings)
    log.set_up(settings.log_level)
    setup.set_up()
    uvloop.run(_main(settings))


async def _main(settings: Settings) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with archiver(settings):
        ended = asyncio.create_task(_parent_ended())
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)


@contextlib.asynccontextmanager
async def archiver(settings: Settings) -> AsyncIterator[Archiver]:
    """Run an archiver for as long as the context lasts."""
    store, database = (
        Store.open(settings, ObjectStore.of(settings)),
        Database(settings.database_url),
    )
    keep_ms = kept_ms(settings)
    retention = Retention(
        store,
        database,
        retention_days=settings.retention_days,
        audit_days=settings.audit_days,
        keep_ms=keep_ms,
    )
    found = Archiver(store, database, retention, keep_ms=keep_ms)
    try:
        async with (
            background("archiver", found.run),
            background("metrics", lambda: metrics.publish(store, make_worker_id())),
        ):
            yield found
    finally:
        await store.close()
        database.close()


async def _parent_ended() -> None:
    """Wait for the end of standard input, which the parent holds open."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
