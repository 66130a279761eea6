"""Lines for the terminal, written by a thread so that a slow reader never blocks the stack."""

import queue
import sys
import threading
from typing import TextIO

MAX_WAITING_LINES = 10_000
CLOSE_SECONDS = 1.0


class Console:
    """Prefixes lines and writes them in order; lines beyond the queue's limit are dropped."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._lines: queue.Queue[str | None] = queue.Queue(MAX_WAITING_LINES)
        self._thread = threading.Thread(target=self._write, daemon=True, name="console")
        self._thread.start()

    def print(self, name: str, text: str) -> None:
        """Queue one line under the name of its part."""
        try:
            self._lines.put_nowait(f"{name:<10} | {text}\n")
        except queue.Full:
            return

    def close(self) -> None:
        """Write the queued lines, for a second at most."""
        try:
            self._lines.put(None, timeout=CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(CLOSE_SECONDS)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError):
                return
