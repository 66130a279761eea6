"""Supervision of a stack's parts: starts them, restarts those that end, stops them in order."""

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
from deploy.stack.fork_server import ForkServer
from deploy.stack.relay import Omit, Relay
from engine.process.forked import ForkedProcess

LAUNCHER = Path(__file__).with_name("launcher.py")
FIRST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 10.0
STEADY_SECONDS = 10.0
"""A part that ran this long counts as healthy: its next restart is quick again."""


async def inherit_no_descriptors() -> tuple[int, ...]:
    """Default preparation: pass no file descriptors."""
    return ()


def omit_no_line(_: str) -> bool:
    """Default filter: show every line."""
    return False


async def ignore_death(_: int) -> None:
    """Default reaction to a death: only the restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One program of the stack."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    stage: int
    """Parts stop in order of their stages, those of one stage together."""
    death_signal: signal.Signals = signal.SIGKILL
    """Signal to the program when the supervisor itself was killed."""
    prepare: Callable[[], Awaitable[tuple[int, ...]]] = inherit_no_descriptors
    """Runs before each start; the program inherits the file descriptors that it returns."""
    on_death: Callable[[int], Awaitable[None]] = ignore_death
    """Runs after the program has died, with its process id; must not raise."""
    is_forked: bool = False
    """The program is a `deploy` command, and starts in a fork where that is possible."""
    omit: Omit = omit_no_line
    """Filter of output lines that the console does not show."""


class PartRunner:
    """Runs one part, and restarts it until it is stopped."""

    def __init__(self, part: Part, console: Console, forks: ForkServer | None) -> None:
        self.part = part
        self.deaths = 0
        self._console = console
        self._forks = forks
        self._process: Process | ForkedProcess | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while the part runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        """Start the part and supervise it."""
        self._task = asyncio.create_task(self._keep_running(), name=self.part.name)

    async def stop(self, grace_seconds: float) -> None:
        """Terminate the part, and kill it when the grace period is over."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=grace_seconds)
        if not done:
            self.kill()
            await asyncio.wait({self._task})

    def kill(self) -> None:
        """Kill the part and every process that it started."""
        self._stopping.set()
        if self.pid is not None:
            _kill_group(self.pid)

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            how = await self._run_once()
            if self._stopping.is_set():
                return
            self.deaths += 1
            if self._process is not None:
                await self.part.on_death(self._process.pid)
            if loop.time() - began >= STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._console.print(self.part.name, f"{how}; starts again in {pause:.1f} s")
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
            # A process that it started may hold the other end of the pipe.
            _kill_group(process.pid)
            await relay.ended()
        finally:
            relay.close()
        return f"ended with {code}"

    async def _spawn(self) -> tuple[Process | ForkedProcess, Relay]:
        inherited = await self.part.prepare()
        reading, writing = os.pipe()
        relay = await Relay.open(reading, self.part.name, self._console, self.part.omit)
        try:
            self._process = await self._fork(writing) or await self._execute(writing, inherited)
        except BaseException:
            relay.close()
            raise
        finally:
            for descriptor in (*inherited, writing):
                os.close(descriptor)
        return self._process, relay

    async def _fork(self, output: int) -> ForkedProcess | None:
        part = self.part
        if self._forks is None or not part.is_forked:
            return None
        return await self._forks.fork(part.command, part.environ, output, part.death_signal)

    async def _execute(self, output: int, inherited: tuple[int, ...]) -> Process:
        return await asyncio.create_subprocess_exec(
            *_launch(self.part),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env={**os.environ, **self.part.environ},
            pass_fds=inherited,
            start_new_session=True,
        )

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class Supervisor:
    """Supervisor of all the parts of one stack."""

    def __init__(
        self, console: Console, *, grace_seconds: float, forks: ForkServer | None = None
    ) -> None:
        self._console = console
        self._grace_seconds = grace_seconds
        self._runners: list[PartRunner] = []
        self._forks = forks

    def start(self, part: Part) -> PartRunner:
        """Start a part and keep it running."""
        runner = PartRunner(part, self._console, self._forks)
        self._runners.append(runner)
        runner.start()
        return runner

    async def stop(self) -> None:
        """Stop stage by stage, so that no part loses another that it still needs."""
        for stage in sorted({runner.part.stage for runner in self._runners}):
            runners = [runner for runner in self._runners if runner.part.stage == stage]
            await asyncio.gather(*(runner.stop(self._grace_seconds) for runner in runners))

    def kill(self) -> None:
        """Kill every part at once."""
        for runner in self._runners:
            runner.kill()


def _launch(part: Part) -> tuple[str, ...]:
    launcher = (sys.executable, "-I", "-S", str(LAUNCHER))
    return (*launcher, str(int(part.death_signal)), str(os.getpid()), *part.command)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
