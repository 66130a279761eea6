"""Signals that stop a process: the first one drains it, a second one cuts the drain short."""

import asyncio
import signal
from collections.abc import Collection
from typing import Any


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that stop a process, that of a terminal that closes among them.

    `nohup` has its program ignore that one, which stays so.
    """
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return tuple(numbers)


class Stop:
    """Stop of a process that drains."""

    def __init__(self, asked: asyncio.Event | None = None) -> None:
        self.asked = asked or asyncio.Event()
        """Set when the process is to drain."""
        self.is_urgent = asyncio.Event()
        """Set when it is to wait for nothing any more."""

    def catch_signals(self) -> None:
        """Stop at the signals from now on."""
        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self.ask)

    def ask(self) -> None:
        """Ask for the stop; once more, urgently."""
        if self.asked.is_set():
            self.is_urgent.set()
        self.asked.set()

    async def wait_for(self, tasks: Collection[asyncio.Future[Any]], seconds: float) -> None:
        """Wait until the tasks have ended, the time is over, or the stop is urgent."""
        if not tasks:
            return
        urgent = asyncio.ensure_future(self.is_urgent.wait())
        ended = asyncio.ensure_future(asyncio.wait(tasks))
        try:
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({urgent, ended}, timeout=seconds, return_when=first)
        finally:
            urgent.cancel()
            ended.cancel()
