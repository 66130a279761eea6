"""Readiness of the parts of a stack."""

import asyncio
from collections.abc import Awaitable, Callable

from deploy.net.http_client import Unreachable, call
from deploy.output.problems import CommandFailed
from deploy.stack.supervisor import PartRunner

READY_SECONDS = 60.0
MAX_DEATHS = 5
"""Deaths before the first readiness after which a part is given up."""
PAUSE_SECONDS = 0.05


async def wait_until_ready(
    is_ready: Callable[[], Awaitable[bool]], runner: PartRunner, seconds: float = READY_SECONDS
) -> None:
    """Wait for a part. Raises CommandFailed when it keeps dying, or takes longer."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await is_ready():
        if runner.deaths >= MAX_DEATHS or loop.time() > deadline:
            raise CommandFailed(f"The {runner.part.name} does not start; its lines above say why.")
        await asyncio.sleep(PAUSE_SECONDS)


async def is_gateway_ready(url: str) -> bool:
    """Return whether the gateway at this address is ready."""
    try:
        status, _ = await asyncio.to_thread(call, "GET", f"{url}/readyz", timeout=2)
    except Unreachable:
        return False
    return status == 200
