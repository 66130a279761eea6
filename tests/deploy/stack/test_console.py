import io
import threading

from deploy.stack import console as module
from deploy.stack.console import Console


def test_lines_are_written_in_order_under_their_names() -> None:
    written = io.StringIO()
    console = Console(written)

    console.print("redis", "one")
    console.print("worker.1", "two")
    console.close()

    assert written.getvalue() == "redis      | one\nworker.1   | two\n"


class Stalled(io.StringIO):
    """A stream that blocks until `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait()
        return super().write(text)


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_who_stalls_does_not_stall_the_speaker() -> None:
    written = Stalled()
    console = Console(written)

    for number in range(2 * module.MAX_WAITING_LINES):
        console.print("worker", str(number))
    written.go.set()
    console.close()

    assert written.getvalue().startswith("worker     | 0\n")


def test_a_reader_who_has_gone_is_no_failure() -> None:
    console = Console(Broken())

    console.print("worker", "anybody there?")
    console.close()

    assert not console._thread.is_alive()
