"""Namespaces of test runs that were killed before they could remove them."""

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.support.hosts.commands import ip, namespaces, processes_in

PREFIX = "headrace"
REMOVAL_SECONDS = 10.0


def namespace_name(network: int, host: str) -> str:
    """Return the name of a host's namespace, which names the process of the test run as well."""
    return f"{PREFIX}-{os.getpid()}-{network}-{host}"


def remove_leftovers() -> list[str]:
    """Remove the namespaces of test runs that are over, with their processes; return the names."""
    found = [name for name in namespaces() if _is_left(name)]
    for name in found:
        with contextlib.suppress(RuntimeError):  # another test run removes it at this moment
            remove_namespace(name)
    return found


def remove_namespace(name: str) -> None:
    """Kill the processes of a namespace, wait for their end, and remove it."""
    kill_processes(name)
    ip("netns", "delete", name)


def kill_processes(name: str) -> None:
    """Kill the processes of a namespace, and those that they start meanwhile."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    while running := [pid for pid in processes_in(name) if not _is_zombie(pid)]:
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise AssertionError(f"processes {running} of {name} do not end")
        time.sleep(0.01)


def _is_left(name: str) -> bool:
    prefix, _, rest = name.partition("-")
    pid = rest.partition("-")[0]
    return prefix == PREFIX and pid.isdigit() and not Path(f"/proc/{pid}").exists()


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
