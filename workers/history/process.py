"""The archiver's process: a worker that leads the archivers runs it as a child of its own.

It is a process rather than a task, so that packing and writing never delay a run, and it has a low
priority. Two at a time, as after a lost lead, write nothing twice.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import Process

import msgspec

from engine.errors import EngineError
from engine.history.database.own_database import OwnDatabase
from engine.process.forked import ForkedProcess
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import process_keys
from workers.history.standby import Standby
from workers.recovery.leader import Leader

LEAD_SECONDS = 5.0
RENEW_SECONDS = 1.5
START_SECONDS = 5.0
"""Pause before the first try to lead: a machine that starts has more urgent work."""
STOP_SECONDS = 5.0
COMMAND = (sys.executable, "-P", "-c", "from workers.history.main import main; main()")


class ArchiverProcess:
    """Runs the archiver's process for as long as this worker leads.

    A worker whose database has not the installation's history leaves the lead to others.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        worker_id: str,
        own_database: OwnDatabase,
        standby: Standby | None = None,
    ) -> None:
        self._settings = settings
        self._own_database = own_database
        self._standby = standby
        self._leader = Leader(
            store.leases,
            worker_id,
            key=process_keys.archiver(),
            lead_seconds=LEAD_SECONDS,
            renew_seconds=RENEW_SECONDS,
        )
        self.process: Process | ForkedProcess | None = None
        self.lifeline: int | None = None
        """Descriptor whose end is the end of the process."""

    async def run(self) -> None:
        """Take the lead and run the process, until cancelled."""
        await asyncio.sleep(START_SECONDS)
        try:
            while True:
                await self.step()
                await asyncio.sleep(self._leader.pause)
        finally:
            await self._stop()

    async def step(self) -> None:
        """Renew the lead, or request it; start or stop the process accordingly."""
        if self._own_database.is_unfit:
            self._leader.lose()  # it lapses, and another worker takes it
        else:
            try:
                await self._leader.request()
            except EngineError:
                self._leader.pause = RENEW_SECONDS
                return  # the process waits for Redis itself
        is_running = self.process is not None and self.process.returncode is None
        if self._leader.is_leading and not is_running:
            await self._start()
        elif not self._leader.is_leading and is_running:
            await self._stop()

    async def _start(self) -> None:
        self._cut_lifeline()
        standby, self._standby = self._standby, None
        if standby is None:
            reading, self.lifeline = os.pipe()
            try:
                self.process = await asyncio.create_subprocess_exec(*COMMAND, stdin=reading)
            finally:
                os.close(reading)
        else:
            self.process, self.lifeline = ForkedProcess(standby.pid), standby.lifeline
        # Not in its environment or arguments, where others of this machine may read secrets.
        with contextlib.suppress(BrokenPipeError):  # it has died, and the next step starts another
            os.write(self.lifeline, msgspec.json.encode(self._settings) + b"\n")

    def _cut_lifeline(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None

    async def _stop(self) -> None:
        self._cut_lifeline()
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
