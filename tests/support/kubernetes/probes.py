"""Probes of a container, with the periods and thresholds of its manifest."""

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.kubernetes.manifests import Manifest

Execute = Callable[[list[str], float], int]
"""Runs a command in the container within some seconds; returns its exit code."""


def ask(probe: Manifest, container: Manifest, address: str, execute: Execute) -> bool:
    """Make one probe as the kubelet does; return whether it succeeds."""
    seconds = float(probe.get("timeoutSeconds", 1))
    if "exec" in probe:
        return execute(probe["exec"]["command"], seconds) == 0
    action = probe.get("httpGet") or probe["tcpSocket"]
    port = find_port(container, action["port"])
    try:
        if "tcpSocket" in probe:
            socket.create_connection((address, port), timeout=seconds).close()
            return True
        return 200 <= _get(address, port, action["path"], seconds) < 400
    except (OSError, http.client.HTTPException):
        return False


def find_port(container: Manifest, port: int | str) -> int:
    """Return the number of a port that may be a name. Raises KeyError."""
    if isinstance(port, int):
        return port
    return {each["name"]: int(each["containerPort"]) for each in container["ports"]}[port]


def _get(address: str, port: int, path: str, seconds: float) -> int:
    connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@dataclass(slots=True)
class Prober:
    """Makes one kind of probe when it is due, and counts its results."""

    probe: Manifest
    due_at: float = field(default_factory=time.monotonic)
    failures: int = 0
    successes: int = 0

    def is_due(self) -> bool:
        """Return whether the period is over."""
        return time.monotonic() >= self.due_at

    def note(self, is_good: bool) -> None:
        """Count a result, and be due after one period."""
        self.due_at = time.monotonic() + float(self.probe.get("periodSeconds", 10))
        self.successes = self.successes + 1 if is_good else 0
        self.failures = 0 if is_good else self.failures + 1

    @property
    def has_failed(self) -> bool:
        """Return whether as many in sequence failed as the manifest bears."""
        return self.failures >= int(self.probe.get("failureThreshold", 3))
