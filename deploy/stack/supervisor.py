"""Keeps the parts of a stack alive: starts them, restarts what dies, stops them in order."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stack.console import Console
from deploy.stack.relay import Omit, Relay

LAUNCHER = Path(__file__).with_name("launcher.py")
FIRST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 10.0
STEADY_SECONDS = 10.0
"""A part that lived this long counts as healthy: its next restart is quick again."""


async def inherit_nothing() -> tuple[int, ...]:
    """The usual preparation: none."""
    return ()


def omit_nothing(_: str) -> bool:
    """The usual lines that are left out: none."""
    return False


async def mourn_nobody(_: int) -> None:
    """The usual reaction to a death: none but a new start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One program of the stack."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    stage: int
    """Parts stop in order of their stages, those of one stage together."""
    death_signal: signal.Signals = signal.SIGKILL
    """What it gets when the supervisor itself was killed."""
    prepare: Callable[[], Awaitable[tuple[int, ...]]] = inherit_nothing
    """Runs before each start; the file descriptors it gives go to the program."""
    mourn: Callable[[int], Awaitable[None]] = mourn_nobody
    """Runs when the program has died, with the process id it had; must not raise."""
    omit: Omit = omit_nothing
    """Lines of its output that the console does not show."""


class PartKeeper:
    """Keeps one part running until it is told to stop."""

    def __init__(self, part: Part, console: Console) -> None:
        self.part = part
        self.deaths = 0
        self._console = console
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while the part runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        """Begin to keep the part running."""
        self._task = asyncio.create_task(self._keep(), name=self.part.name)

    async def stop(self, grace_seconds: float) -> None:
        """Ask the part to end, and kill it when the grace is over."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=grace_seconds)
        if not done:
            self.kill()
            await asyncio.wait({self._task})

    def kill(self) -> None:
        """End the part and everything it started, now."""
        self._stopping.set()
        if self.pid is not None:
            _kill_group(self.pid)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            how = await self._run_once()
            if self._stopping.is_set():
                return
            self.deaths += 1
            if self._process is not None:
                await self.part.mourn(self._process.pid)
            if loop.time() - began >= STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._console.say(self.part.name, f"{how}; starts again in {pause:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _run_once(self) -> str:
        try:
            process, relay = await self._spawn()
        except Exception as error:
            return f"could not start: {error}"
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        try:
            code = await process.wait()
            # What it started may hold the other end of the pipe.
            _kill_group(process.pid)
            await relay.ended()
        finally:
            relay.close()
        return f"ended with {code}"

    async def _spawn(self) -> tuple[Process, Relay]:
        inherited = await self.part.prepare()
        reading, writing = os.pipe()
        relay = await Relay.open(reading, self.part.name, self._console, self.part.omit)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *_launch(self.part),
                stdin=DEVNULL,
                stdout=writing,
                stderr=STDOUT,
                env={**os.environ, **self.part.environ},
                pass_fds=inherited,
                start_new_session=True,
            )
        except BaseException:
            relay.close()
            raise
        finally:
            for descriptor in (*inherited, writing):
                os.close(descriptor)
        return self._process, relay

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class Supervisor:
    """All the parts of one stack."""

    def __init__(self, console: Console, *, grace_seconds: float) -> None:
        self._console = console
        self._grace_seconds = grace_seconds
        self._keepers: list[PartKeeper] = []

    def start(self, part: Part) -> PartKeeper:
        """Start a part and keep it running."""
        media_store = PartKeeper(part, self._console)
        self._keepers.append(media_store)
        media_store.start()
        return media_store

    async def stop(self) -> None:
        """Stop stage by stage, so that nobody loses what it still needs."""
        for stage in sorted({media_store.part.stage for media_store in self._keepers}):
            keepers = [
                media_store for media_store in self._keepers if media_store.part.stage == stage
            ]
            await asyncio.gather(
                *(media_store.stop(self._grace_seconds) for media_store in keepers)
            )

    def kill(self) -> None:
        """End everything at once."""
        for media_store in self._keepers:
            media_store.kill()


def _launch(part: Part) -> tuple[str, ...]:
    launcher = (sys.executable, "-I", "-S", str(LAUNCHER))
    return (*launcher, str(int(part.death_signal)), str(os.getpid()), *part.command)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
