"""Main function of the archiver's process."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator

import msgspec
import uvloop

from engine.history.database.connections import Database
from engine.history.retention.retention import Retention
from engine.media.objects import ObjectStore
from engine.process import setup
from engine.services.background_tasks import background
from engine.services.metrics import publishing
from engine.services.metrics.vitals import Vitals
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.worker_leases import make_worker_id
from engine.telemetry import log
from engine.telemetry.traces.tracing import open_tracing
from workers.history.archiver import Archiver

NICENESS = 10


def main() -> None:
    """Archive until the parent ends or sends SIGTERM; the settings come by standard input."""
    for number in (signal.SIGINT, signal.SIGHUP):  # of a terminal: the parent ends this process
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    line = sys.stdin.buffer.readline()
    if not line:
        return  # another worker leads until the end of this one
    settings = msgspec.json.decode(line, type=Settings)
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
        Store.open(settings, ObjectStore.from_settings(settings)),
        Database(settings.database_url, is_durable=True),
    )
    keep_ms = settings.hot_ms
    retention = Retention(
        store,
        database,
        retention_days=settings.retention_days,
        audit_days=settings.audit_days,
        keep_ms=keep_ms,
    )
    made, process = Archiver(store, database, retention, keep_ms=keep_ms), make_worker_id()
    try:
        async with (
            open_tracing("archiver", process),
            background("archiver", made.run),
            background("vitals", Vitals("archiver", store).run),
            background("metrics", lambda: publishing.publish(store, process)),
        ):
            yield made
    finally:
        await store.close()
        database.close()


async def _parent_ended() -> None:
    """Wait for the end of standard input, which the parent holds open."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
