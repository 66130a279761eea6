"""`headrace top` on a terminal: drawn anew after each reading and each change of its size."""

import asyncio
import contextlib
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.text import Text

from deploy.admin.top.layout import draw
from deploy.admin.top.reading import Reading, read
from deploy.admin.top.tables import Line, Style
from engine.errors import EngineError
from engine.store import Store

STYLES: dict[Style, str] = {
    "": "",
    "head": "bold",
    "label": "dim",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
}
LEAVE_KEYS = b"qQ\x03"
HINT = "q: leave"


class TopScreen:
    """The screen of a terminal, with the last reading and how long ago Redis answered."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._reading: Reading | None = None
        self._away_since: float | None = None
        self._reason = ""

    def show(self, reading: Reading) -> None:
        """Show a new reading."""
        self._reading, self._away_since = reading, None
        self.draw()

    def show_away(self, reason: str) -> None:
        """Say that Redis does not answer, above the last reading."""
        if self._away_since is None:
            self._away_since = monotonic()
        self._reason = reason
        self.draw()

    def draw(self) -> None:
        """Draw the last reading in the present size of the terminal."""
        note = ""
        if self._away_since is not None:
            since = monotonic() - self._away_since
            note = f"Redis has not answered for {since:.0f} s: old figures. {self._reason}"
        if self._reading is None:
            lines: list[Line] = [((note, "bad"),)]
        else:
            width, height = self._live.console.size
            lines = draw(self._reading, width, height, note=note, hint=HINT)
        self._live.update(Text("\n").join(map(_text, lines)), refresh=True)


async def watch(store: Store, first: Reading, interval: float) -> None:
    """Show the installation until a key, Ctrl-C or a signal ends it."""
    stopped = asyncio.Event()
    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        screen = TopScreen(live)
        with _noticed(stopped, screen):
            screen.show(first)
            reading = first
            while not await _is_set(stopped, interval):
                try:
                    reading = await read(store, reading.series.totals)
                    screen.show(reading)
                except EngineError as error:
                    screen.show_away(f"{error.message}.")
                except TimeoutError:
                    screen.show_away("")


@contextlib.contextmanager
def _noticed(stopped: asyncio.Event, screen: TopScreen) -> Iterator[None]:
    """Notice signals, keys and changes of the size while the context lasts."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, stopped.set)
    loop.add_signal_handler(signal.SIGWINCH, screen.draw)
    with _keys(loop, stopped):
        yield


@contextlib.contextmanager
def _keys(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> Iterator[None]:
    """Read single keys of the terminal, which is as before afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    place = sys.stdin.fileno()
    before = termios.tcgetattr(place)

    def receive() -> None:
        pressed = os.read(place, 64)
        if not pressed or any(key in LEAVE_KEYS for key in pressed):
            stopped.set()

    tty.setcbreak(place, termios.TCSANOW)
    loop.add_reader(place, receive)
    try:
        yield
    finally:
        loop.remove_reader(place)
        termios.tcsetattr(place, termios.TCSADRAIN, before)


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event; return whether it came within the time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _text(line: Line) -> Text:
    return Text.assemble(*((text, STYLES[style]) for text, style in line), no_wrap=True)
