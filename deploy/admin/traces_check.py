"""Check of `headrace doctor` that spans of traces can be sent, where an endpoint is set."""

import asyncio
import contextlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from deploy.admin.checks import Check
from engine.telemetry.traces.environment import TraceEnvironment

NAME = "traces"
CONNECT_SECONDS = 2.0
PORTS = {"http": 80, "https": 443}


async def check_traces(environ: Mapping[str, str]) -> Check:
    """Check the extra, the variables and the collector's port."""
    read = TraceEnvironment.read(environ)
    if not read.is_on:
        seen = "off, by the variables here: no OTEL_EXPORTER_OTLP_ENDPOINT is set"
        return Check(name=NAME, is_well=True, seen=seen)
    if read.fault:
        seen, _, fix = read.fault.partition(": ")
        return Check(name=NAME, is_well=True, warns=True, seen=seen, fix=f"{fix}.")
    host, port = _address(read.endpoint)
    if await _connects(host, port):
        return Check(name=NAME, is_well=True, seen=f"spans go to {host}:{port}")
    return Check(
        name=NAME,
        is_well=True,
        warns=True,
        seen=f"nothing listens at {host}:{port}, and spans are dropped",
        fix="Start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT. Runs do not wait for it.",
    )


def _address(endpoint: str) -> tuple[str, int]:
    """Return host and port of an endpoint; its user and password are not shown."""
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.hostname or "", port or PORTS.get(parts.scheme, 4317)


async def _connects(host: str, port: int) -> bool:
    with contextlib.suppress(OSError, ValueError, TimeoutError):
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        return True
    return False
