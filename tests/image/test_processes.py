"""Processes of a container: who reaps orphans, and what a signal does at any time."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from deploy.net.http_client import call
from tests.support.acceptance.running_stack import until
from tests.support.image.calls import Start, await_ready, ends_well, installed, url
from tests.support.image.containers import Container

pytestmark = pytest.mark.slow

EXPRESSION = "lead-to-contact"
"""Example with an expression, which a child process of the worker computes."""
LEAD = {
    "first": "Ada",
    "last": "Lovelace",
    "mail": "ada@example.org",
    "interests": ["api"],
    "company": {"name": "Engines", "size": 12},
}
TERMINATED = 128 + signal.SIGTERM


def commands(container: Container) -> dict[int, str]:
    """Return the command lines of its processes that run, by their numbers on this machine."""
    return {
        pid: Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        for pid, state in container.processes().items()
        if state != "Z"
    }


def has_begun(container: Container) -> bool:
    """Return whether its first process has started the command."""
    try:
        running = commands(container)
        return running[container.pid].startswith("tini ") and len(running) > 1
    except (IndexError, KeyError, OSError):
        return False


def parent(pid: int) -> int:
    """Return the number of the parent of a process."""
    found = re.search(r"^PPid:\t(\d+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def test_orphans_are_reaped(start: Start, environ: dict[str, str]) -> None:
    """A zygote is killed: its children end, and the worker, which runs on, does not know them."""
    installed(start, environ)
    gateway, worker = start("gateway", **environ), start("worker", **environ)
    await_ready(gateway)
    found = re.search(
        r"hr_live_[\w.-]+", ends_well(start("demo", "--url", url(gateway), **environ))
    )
    assert found

    def run() -> int:
        path = f"{url(gateway)}/api/workflows/{EXPRESSION}/run"
        return call("POST", path, key=found[0], body={"inputs": {"lead": LEAD}}, timeout=60)[0]

    assert run() == 200
    pools = until(lambda: [pid for pid, words in commands(worker).items() if "pool_child" in words])
    [zygote] = [pid for pid in pools if parent(pid) not in pools]
    signal.pidfd_send_signal(zygote_descriptor := os.pidfd_open(zygote), signal.SIGKILL)
    os.close(zygote_descriptor)

    until(lambda: set(pools).isdisjoint(worker.processes()), timeout=20)
    assert run() == 200
    assert "Z" not in worker.processes().values()
    assert (worker.stop()[0], gateway.stop()[0]) == (0, 0)


@pytest.mark.parametrize("command", ["gateway", "worker"])
def test_a_signal_counts_from_the_first_moment(
    start: Start, environ: dict[str, str], command: str
) -> None:
    """A process that is the first of a container would not hear it before its handler is there."""
    for seconds in (0.0, 0.2, 0.5):
        container = start(command, **environ)
        until(lambda: has_begun(container))  # noqa: B023
        time.sleep(seconds)

        code, took = container.stop(timeout=20)

        assert code in (0, TERMINATED), container.output
        assert took < 5
