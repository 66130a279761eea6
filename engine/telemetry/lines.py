"""Logs with many lines: a buffer that a thread writes to a file or to standard error.

A record of Python's logging costs several microseconds; a line here costs about one, and no
system call. A reader that is slow, or a disk that hangs, delays nobody: the buffer has a bound, and
lines beyond it are dropped and counted.
"""

import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from engine.telemetry.log import make_safe
from engine.telemetry.metrics import LOG_LINES_DROPPED

STANDARD_ERROR = "1"
FLUSH_SECONDS = 0.05
FLUSH_BYTES = 65_536
MOST_BYTES = 8_388_608
"""Most bytes of lines that wait to be written."""
CLOSE_SECONDS = 2.0
"""Longest time that the end of the process waits for the last lines."""
PIPE_BYTES = 4_096
"""Bytes that a pipe takes as one piece, so that lines of several processes never mix."""
FILE_MODE = 0o640
LOG_SECONDS = 60.0
"""Pause between two lines about a file that cannot be written."""

_encoder = msgspec.json.Encoder()
logger = logging.getLogger(__name__)


class LineWriter:
    """Buffer of the lines of one log, which all parts of a process share.

    An account may fill half of the space that is left, so that one with very many lines leaves
    space to the others.
    """

    def __init__(self, sink: "Sink", log: str, *, most_bytes: int = MOST_BYTES) -> None:
        self._sink = sink
        self._dropped = LOG_LINES_DROPPED.labels(log)
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._sizes: dict[str, int] = {}
        """Bytes of these lines by account."""
        self._leaving: dict[str, int] = {}
        """Bytes by account that are being written."""
        self._size = 0
        """Bytes of both."""
        self._begun, self._hurry = threading.Event(), threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"{log} log", daemon=True)
        self._thread.start()

    def write(self, account_id: str, line: msgspec.Struct) -> None:
        """Add a line, for which the account is counted; empty: nobody is known."""
        text = make_safe(_encoder.encode(line).decode()).encode() + b"\n"
        size = len(text)
        with self._lock:
            of_account = self._sizes.get(account_id, 0) + size
            if of_account + self._leaving.get(account_id, 0) > self._most_bytes - self._size:
                self._dropped.inc()
                return
            self._sizes[account_id] = of_account
            self._size += size
            self._lines.append(text)
            is_first, is_full = len(self._lines) == 1, self._size >= FLUSH_BYTES
        if is_first:
            self._begun.set()
        if is_full:
            self._hurry.set()

    def close(self) -> None:
        """Write the lines that are left, for at most two seconds."""
        self._is_closed = True
        self._begun.set()
        self._hurry.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not (self._is_closed and not self._lines):
            self._begun.wait()
            self._hurry.wait(FLUSH_SECONDS)
            self._begun.clear()
            self._hurry.clear()
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
            self._leaving, self._sizes = self._sizes, {}
        if lines:
            lost = self._sink.write(lines)
            if lost:
                self._dropped.inc(lost)
        with self._lock:
            self._size -= sum(self._leaving.values())
            self._leaving = {}


class Sink(Protocol):
    """Place of lines."""

    def write(self, lines: list[bytes]) -> int:
        """Write lines; return the number of those that were lost."""


class FileSink:
    """File that several processes append to; it is opened again when it was moved."""

    def __init__(self, path: str) -> None:
        """Raise OSError for a file that cannot be written."""
        self._path = Path(path)
        self._logged_at = float("-inf")
        self._is_torn = False
        """Whether the last line is a part of one, as a full disk leaves it."""
        self._file = self._open()

    def write(self, lines: list[bytes]) -> int:
        """Append lines; return the number of those that were lost."""
        lost = len(lines)
        try:
            self._follow()
            data = b"\n" * self._is_torn + b"".join(lines)
            written = 0
            try:
                while written < len(data):
                    written += os.write(self._file, data[written:] if written else data)
            finally:
                if written:
                    self._is_torn = not data[:written].endswith(b"\n")
                lost = min(lost, data.count(b"\n", written))
        except OSError as error:
            self._log(error)
        return lost

    def _follow(self) -> None:
        """Open the file again if it was moved."""
        if not self._was_moved():
            return
        # The old one is closed last: its number would soon be another file's or a connection's.
        former, self._file = self._file, self._open()
        self._is_torn = False
        with contextlib.suppress(OSError):
            os.close(former)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._path, flags, FILE_MODE)

    def _was_moved(self) -> bool:
        try:
            found, own = self._path.stat(), os.fstat(self._file)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != (own.st_dev, own.st_ino)

    def _log(self, error: OSError) -> None:
        if time.monotonic() - self._logged_at < LOG_SECONDS:
            return
        self._logged_at = time.monotonic()
        fix = "Make space on its disk, or let the user of this process write the file"
        extra = {"path": str(self._path), "reason": error.strerror, "fix": fix}
        logger.error("lines of a log cannot be written", extra=extra)


class StreamSink:
    """Standard error, which other processes and this one's own log write to as well."""

    def __init__(self, descriptor: int = 2) -> None:
        self._descriptor = descriptor

    def write(self, lines: list[bytes]) -> int:
        """Write lines in pieces that stay whole; return the number of those that were lost."""
        left = len(lines)
        try:
            for piece in _pieces(lines):
                _write_all(self._descriptor, b"".join(piece))
                left -= len(piece)
        except OSError:
            return left  # there is no place to say so
        return 0


def _pieces(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Yield lines by pieces of at most `PIPE_BYTES`, but for a line that is longer."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIPE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    yield piece


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # a parent has made standard error non-blocking
            space = select.poll()  # `select` takes no number above 1,023
            space.register(descriptor, select.POLLOUT)
            space.poll()


def open_writer(place: str, log: str) -> LineWriter:
    """Return the writer of a log: `1` is standard error, anything else a file.

    Raises OSError for a file that cannot be written.
    """
    sink: Sink = StreamSink() if place == STANDARD_ERROR else FileSink(place)
    return LineWriter(sink, log)
