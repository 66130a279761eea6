"""The local model as a part of a stack: its program, its address, its health."""

import asyncio
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local_model.file import model_file
from deploy.local_model.installed import INSTALL, is_installed
from deploy.local_model.server import HOST
from deploy.net.host_ports import port_of, reserve_port, url_of
from deploy.net.http_client import Unreachable, call
from deploy.output.problems import CommandFailed
from deploy.stack.supervisor import Part

HEALTH_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A checked model file, and a port reserved for its server."""

    file: Path
    reserved: socket.socket

    @classmethod
    def prepare(cls, named: str, data_dir: Path) -> "LocalModel":
        """Find the file or assemble it. Raises CommandFailed with one sentence."""
        if not is_installed():
            raise CommandFailed(f"What runs a model here is not installed: {INSTALL}.")
        return cls(file=model_file(named, data_dir), reserved=reserve_port(HOST, 0))

    @property
    def url(self) -> str:
        """Address of its API, as OpenAI's clients expect it."""
        return f"{url_of(HOST, port_of(self.reserved))}/v1"

    def part(self, stage: int, drain_seconds: float) -> Part:
        """Return the program that serves it."""
        arguments = (str(self.file), str(port_of(self.reserved)), str(drain_seconds))
        return Part(
            name="model",
            command=(sys.executable, "-P", "-m", "deploy.local_model", *arguments),
            stage=stage,
        )


async def is_serving(url: str) -> bool:
    """Return whether the model behind this API address is loaded and answers."""
    health = f"{url.removesuffix('/v1')}/health"
    try:
        status, _ = await asyncio.to_thread(call, "GET", health, timeout=HEALTH_SECONDS)
    except Unreachable:
        return False
    return status == 200
