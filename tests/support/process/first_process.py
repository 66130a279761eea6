"""Processes that are the first ones of their namespaces of process ids, as in a container."""

import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.support.eventually import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]


class FirstProcess:
    """A process with the id 1 in its namespace."""

    def __init__(self, unshare: "subprocess.Popen[bytes]") -> None:
        self._unshare = unshare
        self.pid = _only_child(unshare.pid)
        """Its id outside."""

    def send_signal(self, number: int) -> None:
        """Send it a signal, from outside."""
        subprocess.run(["kill", f"-{int(number)}", str(self.pid)], check=True)

    def wait(self) -> int:
        """Return its exit code."""
        return self._unshare.wait(PATIENCE_SECONDS)

    def find(self, words: str) -> int:
        """Return the id outside of a process in the namespace by words of its command; 0: none."""
        namespace = _namespace_of(self.pid)
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if words in command and _namespace_of(int(folder.name)) == namespace:
                    return int(folder.name)
        return 0

    def zombies(self) -> list[str]:
        """Return the names of the ended processes in the namespace that nobody has reaped."""
        namespace = _namespace_of(self.pid)
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                name, _, rest = (folder / "stat").read_text().rpartition(")")
                if rest.split()[0] == "Z" and _namespace_of(int(folder.name)) == namespace:
                    found.append(name)
        return found


@contextlib.contextmanager
def running_first(
    command: Sequence[str],
    environ: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> Iterator[FirstProcess]:
    """Run a command in a namespace; at the end of the context all of it is killed."""
    process = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=ROOT,
        env=None if environ is None else dict(environ),
    )
    try:
        yield FirstProcess(process)
    finally:
        process.kill()
        process.wait()


def _only_child(pid: int) -> int:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := path.read_text().split():
            return int(found[0])
        time.sleep(0.005)
    raise AssertionError("unshare has started nothing")


def _namespace_of(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/pid").readlink())
