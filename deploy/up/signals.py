"""Signals that stop a stack: the first one drains it, an interrupt after that stops it at once."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.output.problems import CommandFailed
from deploy.stack.console import Console
from deploy.stack.supervisor import Supervisor
from engine.process.stop_signals import stop_signals

KILLED = 130


async def serve_until_signal(
    start: Callable[[], Awaitable[None]],
    refusal: asyncio.Future[str],
    supervisor: Supervisor,
    console: Console,
) -> int:
    """Start the parts, wait for a signal, and stop them; return the exit code.

    A `refusal` of the store stops them too; raises CommandFailed with its sentence afterwards.
    """
    signals = _Signals()
    starting = asyncio.ensure_future(start())
    stopped = asyncio.create_task(signals.first.wait())
    try:
        events: set[asyncio.Future[Any]] = {stopped, refusal}
        await asyncio.wait({starting, *events}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
        console.print(
            "up", "is stopping: nodes that run may end first; another Ctrl-C stops at once"
        )
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        code = await _stop(signals, supervisor)
        signals.close()
    if refusal.done():
        raise CommandFailed(refusal.result())
    return code


async def _stop(signals: "_Signals", supervisor: Supervisor) -> int:
    stopping = asyncio.create_task(supervisor.stop())
    interrupted = asyncio.create_task(signals.second.wait())
    await asyncio.wait({stopping, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        interrupted.cancel()
        return 0
    supervisor.kill()
    await stopping
    return KILLED


class _Signals:
    """Events of the first signal, and of an interrupt after it."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._numbers = stop_signals()
        for number in self._numbers:
            self._loop.add_signal_handler(number, self._set, number)

    def close(self) -> None:
        """Ignore further signals: one during the last steps must not change the exit code."""
        for number in self._numbers:
            self._loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    def _set(self, number: signal.Signals) -> None:
        if self.first.is_set() and number is signal.SIGINT:
            self.second.set()
        self.first.set()
