"""Starting, watching and stopping the processes of the systems under test."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 20.0
REPOSITORY = Path(__file__).parents[2]


@dataclass
class Processes:
    """A group of processes that start one by one and stop together, the last one first."""

    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command in the repository; its output goes to the log."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=clean_environment() | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def start_python(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, *arguments, **environment)

    def stop(self) -> None:
        """SIGTERM, a while to go, then SIGKILL to the whole session."""
        for process in reversed(self.running):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()

    def memory(self) -> dict[str, float]:
        """Proportional and resident megabytes of all processes, those of Redis apart."""
        total = {"pss": 0.0, "rss": 0.0, "redis_pss": 0.0, "redis_rss": 0.0}
        for pid in self.pids():
            prefix = "redis_" if is_redis(pid) else ""
            for name, megabytes in read_memory(pid).items():
                total[prefix + name] += megabytes
        return total

    def cpu_seconds(self) -> float:
        """CPU time of all processes so far, that of Redis included."""
        return sum(read_cpu_seconds(pid) for pid in self.pids())

    def most_cpu_seconds(self, *words: str) -> float:
        """Most CPU time so far of a process whose command line has one of the words; 0 without."""
        found = [pid for pid in self.pids() if any(word in read_command(pid) for word in words)]
        return max(map(read_cpu_seconds, found), default=0.0)

    def pids(self) -> Iterator[int]:
        """Every process of the group, children included."""
        parents = read_parents()
        wanted = {process.pid for process in self.running}
        while True:
            found = {pid for pid, parent in parents.items() if parent in wanted} | wanted
            if found == wanted:
                return iter(wanted)
            wanted = found


def benchmarks_folder(*, is_kept: bool) -> Path:
    """Folder of results: that of the documentation, or one that is not kept."""
    return REPOSITORY / ("docs" if is_kept else "build") / "benchmarks"


def clean_environment() -> dict[str, str]:
    """Ours, without settings that a developer may have made.

    Modules stay compiled from the first start on, as they do for a user.
    """
    ours = ("HEADRACE_", "BENCH_", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def read_parents() -> dict[int, int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
    return parents


def is_redis(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().startswith(("redis-server", "valkey-server"))
    return False


def read_command(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return []


def read_cpu_seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def read_memory(pid: int) -> dict[str, float]:
    found = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Pss", "Rss"):
                found[name.lower()] = int(rest.split()[0]) / 1024
    return found


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something listens there. Raises RuntimeError when the process ends first."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nothing listens for {process.args!r}") from None
            time.sleep(0.02)
