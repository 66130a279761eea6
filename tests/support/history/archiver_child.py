"""An archiver in a process that a test may kill, with all duties due at each step."""

import asyncio
import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess

from engine.settings import Settings
from engine.store.archive.ended_batches import EndedBatches
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.archive.entries import ArchivedEntries
from workers.history import archiver as module
from workers.history.main import archiver

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.history.archiver_child"])


POINTS = {
    "written": (EndedExecutions, "mark_archived"),
    "checked": (EndedExecutions, "forget"),
    "delivered": (EndedDeliveries, "mark_archived"),
    "moved": (ArchivedEntries, "mark_ledger"),
    "batched": (EndedBatches, "mark_archived"),
    "batch checked": (EndedBatches, "forget"),
}
"""Calls before which an archiver may kill itself, by what it has done until then."""


def start(settings: Settings, dies_once: str = "") -> BaseProcess:
    """Start an archiver, which may kill itself once it has come to one of the `POINTS`."""
    process = CONTEXT.Process(target=_run, args=(settings, dies_once), daemon=True)
    process.start()
    return process


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _run(settings: Settings, dies_once: str) -> None:
    if dies_once:
        setattr(*POINTS[dies_once], _die)
    for name in ("ENTRIES_SECONDS", "FORGET_SECONDS", "CHECK_SECONDS", "COLLECT_SECONDS"):
        setattr(module, name, 0.0)
    module.BUSY_SHARE = 2.0
    asyncio.run(_forever(settings))


async def _forever(settings: Settings) -> None:
    async with archiver(settings):
        await asyncio.Event().wait()
