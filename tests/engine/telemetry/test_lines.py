"""Logs with many lines: whole lines, in order, bounded, and written again to a file that moved."""

import fcntl
import json
import os
import resource
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from engine.telemetry.lines import FileSink, LineWriter, StreamSink, open_writer
from engine.telemetry.metrics import LOG_LINES_DROPPED
from tests.support.eventually import PATIENCE_SECONDS


class Line(msgspec.Struct, rename="camel"):
    account_id: str
    number: int
    text: str = ""


class SlowSink:
    """Sink that takes nothing until it may."""

    def __init__(self) -> None:
        self.may_write = threading.Event()
        self.has_begun = threading.Event()
        self.lines: list[bytes] = []

    def write(self, lines: list[bytes]) -> int:
        self.has_begun.set()
        assert self.may_write.wait(10)
        self.lines += lines
        return 0


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def dropped() -> float:
    return LOG_LINES_DROPPED.labels("access")._value.get()


def read(path: Path) -> list[int]:
    return [json.loads(line)["number"] for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def writer(path: Path) -> Iterator[LineWriter]:
    writer = open_writer(str(path), "access")
    yield writer
    writer.close()


def test_lines_are_written_in_order_soon_and_at_the_end_at_the_latest(
    writer: LineWriter, path: Path
) -> None:
    writer.write("a", Line("a", 0))
    wait_until(lambda: read(path) == [0])
    for number in range(1, 5_000):
        writer.write("a", Line("a", number))
    writer.close()

    assert read(path) == list(range(5_000))


def test_a_file_that_was_moved_is_opened_again(writer: LineWriter, path: Path) -> None:
    writer.write("a", Line("a", 1))
    wait_until(lambda: read(path) == [1])
    path.rename(path.with_suffix(".old"))
    writer.write("a", Line("a", 2))
    writer.close()

    assert (read(path.with_suffix(".old")), read(path)) == ([1], [2])
    assert path.stat().st_mode & 0o777 == 0o640


def test_several_processes_append_to_one_file(path: Path) -> None:
    writers = [open_writer(str(path), "access") for _ in range(3)]
    for number in range(1_000):
        for writer in writers:
            writer.write("a", Line("a", number, "x" * 300))
    for writer in writers:
        writer.close()

    assert sorted(read(path)) == sorted([*range(1_000)] * 3)


def test_a_file_that_cannot_be_written_is_refused_at_first_and_counted_later(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OSError):
        FileSink(str(path / "none"))
    folder = path.parent / "logs"
    folder.mkdir()
    sink = FileSink(str(folder / "access.log"))
    (folder / "access.log").unlink()
    folder.rmdir()
    before = dropped()
    writer = LineWriter(sink, "access")
    writer.write("a", Line("a", 1))
    writer.close()

    assert dropped() == before + 1
    (record,) = caplog.records
    assert record.message == "lines of a log cannot be written"
    assert record.__dict__["fix"]


def test_a_file_that_cannot_be_opened_again_closes_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileSink(str(folder / "access.log"))
    folder.rename(tmp_path / "moved")
    assert sink.write([b"1\n"]) == 1
    others = os.pipe()  # take the lowest numbers that are free, as each connection does
    lost = sink.write([b"2\n"])
    folder.mkdir()

    assert (lost, sink.write([b"3\n"])) == (1, 0)
    assert all(stat.S_ISFIFO(os.fstat(each).st_mode) for each in others)
    assert (folder / "access.log").read_bytes() == b"3\n"
    for each in others:
        os.close(each)


def test_a_disk_that_was_full_costs_no_further_line(path: Path) -> None:
    sink = FileSink(str(path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (25, before[1]))  # refuses as a full disk does
    try:
        lost = sink.write([b'{"number": 1}\n', b'{"number": 2}\n', b'{"number": 3}\n'])
        all_lost = sink.write([b'{"number": 4}\n'])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (lost, all_lost) == (2, 1)
    assert sink.write([b'{"number": 5}\n']) == 0
    assert sink.write([b'{"number": 6}\n']) == 0
    lines = path.read_bytes().splitlines()
    assert [lines[0], *lines[2:]] == [b'{"number": 1}', b'{"number": 5}', b'{"number": 6}']
    assert len(lines) == 4


def test_a_slow_reader_delays_nobody_and_lines_beyond_the_bound_are_counted() -> None:
    sink, before = SlowSink(), dropped()
    writer = LineWriter(sink, "access", most_bytes=10_000)
    for number in range(1_000):
        writer.write("a", Line("a", number, "x" * 100))
    lost = dropped() - before
    sink.may_write.set()
    writer.close()

    assert lost > 0
    assert len(sink.lines) + lost == 1_000
    assert sum(map(len, sink.lines)) <= 10_000


def test_an_account_with_many_lines_leaves_space_to_others() -> None:
    sink, before = SlowSink(), dropped()
    writer = LineWriter(sink, "access", most_bytes=10_000)
    for number in range(1_000):
        writer.write("greedy", Line("greedy", number))
    of_greedy = dropped() - before
    for number in range(20):
        writer.write("other", Line("other", number))
    lost = dropped() - before - of_greedy
    sink.may_write.set()
    writer.close()

    assert (of_greedy > 0, lost) == (True, 0)


def test_lines_that_are_being_written_count_for_their_account() -> None:
    sink, before = SlowSink(), dropped()
    writer = LineWriter(sink, "access", most_bytes=10_000)
    writer.write("greedy", Line("greedy", 0, "x" * 4_000))
    assert sink.has_begun.wait(10)
    writer.write("greedy", Line("greedy", 1, "x" * 4_000))
    writer.write("other", Line("other", 1, "x" * 2_000))
    lost = dropped() - before
    sink.may_write.set()
    writer.close()

    assert (lost, len(sink.lines)) == (1, 2)


def test_lines_to_a_full_pipe_stay_whole_beside_those_of_others() -> None:
    reading, writing = os.pipe()
    sink = StreamSink(writing)
    mine = [b"m" * 199 + b"\n"] * 2_000
    theirs = b"t" * 199 + b"\n"

    def write_theirs() -> None:
        for _ in range(2_000):
            os.write(writing, theirs)

    threads = [
        threading.Thread(target=sink.write, args=(mine,)),
        threading.Thread(target=write_theirs),
    ]
    for each in threads:
        each.start()
    data = b""
    while len(data) < 4_000 * 200:
        data += os.read(reading, 1_000)
    for each in threads:
        each.join()
    os.close(reading)
    os.close(writing)

    assert {line for line in data.split(b"\n") if line} == {mine[0][:-1], theirs[:-1]}


def test_a_reader_that_has_gone_costs_the_lines_alone() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    assert StreamSink(writing).write([b"1\n", b"2\n"]) == 2
    os.close(writing)


def test_a_standard_error_that_does_not_block_gets_all_lines() -> None:
    reading, writing = os.pipe()
    least = min(1_100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1)
    number = fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, least)  # as where many files are open
    os.close(writing)
    writing = number
    os.set_blocking(writing, False)
    lines = [b"x" * 999 + b"\n"] * 500
    thread = threading.Thread(target=StreamSink(writing).write, args=(lines,))
    thread.start()
    data = b""
    while len(data) < 500_000:
        data += os.read(reading, 65_536)
    thread.join()
    os.close(reading)
    os.close(writing)

    assert data == b"".join(lines)


@pytest.mark.A63
def test_lines_tell_no_secrets_and_stay_one_line(writer: LineWriter, path: Path) -> None:
    writer.write("a", Line("a", 1, "hr_live_abcd" + "e" * 39 + " /hooks/abcdef" + "g" * 30))
    writer.write("a", Line("a", 2, "one\ntwo\u2028three\x7f\u202e"))
    writer.close()

    first, second = path.read_text().splitlines()
    assert json.loads(first)["text"] == "hr_live_abcd… /hooks/abcdef…"
    assert json.loads(second)["text"] == "one\ntwo\u2028three\x7f\u202e"
    assert "\u202e" not in second
