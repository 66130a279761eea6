"""Calls of containers, and waits for them."""

import time
from collections.abc import Callable, Mapping

from deploy.net.http_client import Unreachable, call
from tests.support.acceptance.running_stack import until
from tests.support.image.containers import Container

Start = Callable[..., Container]


def url(container: Container, port: str = "HEADRACE_PORT") -> str:
    """Return the address of a port that a setting of the container names."""
    return f"http://127.0.0.1:{container.environ[port]}"


def status(address: str) -> int:
    """Return the status of an answer, 0 without one."""
    try:
        return call("GET", address, timeout=5)[0]
    except Unreachable:
        return 0


def await_ready(container: Container, port: str = "HEADRACE_PORT") -> float:
    """Wait until a container is ready; return the seconds since its start."""
    address = f"{url(container, port)}/readyz"
    until(
        lambda: container.is_running and status(address), lambda seen: seen is False or seen == 200
    )
    seconds = time.monotonic() - container.began
    assert container.is_running, container.output
    return seconds


def installed(start: Start, environ: Mapping[str, str]) -> None:
    """Begin the installation."""
    ends_well(start("migrate", **environ))
    ends_well(start("init", **environ))


def ends_well(container: Container) -> str:
    """Return the output of a container that ends with 0."""
    assert container.wait() == 0, container.output
    return container.output
