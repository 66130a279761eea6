"""Caddy before two gateways, as the Compose file sets it up."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose.yaml"
BLOCK = "reverse_proxy gateway-1:8000 gateway-2:8000 {"


def find_caddy() -> str | None:
    """Return the path of Debian's Caddy, if it is here."""
    return shutil.which("caddy")


def reverse_proxy(upstreams: Sequence[str], *, asks_health: bool = True) -> str:
    """Return the block of the Compose file that leads to the gateways, for these addresses.

    Without `asks_health` the proxy learns of a gateway that stops by its connections alone.
    """
    text = COMPOSE.read_text(encoding="utf-8")
    rest = text[text.index(BLOCK) + len(BLOCK) :]
    depth, end = 1, 0
    while depth:
        depth += {"{": 1, "}": -1}.get(rest[end], 0)
        end += 1
    lines = [
        line
        for line in rest[:end].splitlines()
        if asks_health or not line.lstrip().startswith("health_")
    ]
    return f"reverse_proxy {' '.join(upstreams)} {{{chr(10).join(lines)}"


@contextlib.contextmanager
def running_caddy(
    folder: Path, upstreams: Sequence[str], *, asks_health: bool = True
) -> Iterator[str]:
    """Run Caddy before these addresses; yield its URL."""
    caddy = find_caddy()
    assert caddy is not None, "this needs Debian's package caddy"
    port = free_port()
    file = folder / "Caddyfile"
    options = "{\n admin off\n auto_https off\n}\n"
    proxy = reverse_proxy(upstreams, asks_health=asks_health)
    file.write_text(f"{options}http://127.0.0.1:{port} {{\n{proxy}\n}}\n")
    environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [caddy, "run", "--config", str(file), "--adapter", "caddyfile"],
            env=environ,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(port, process, folder / "caddy.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
