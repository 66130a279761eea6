"""Restarts of one gateway of two behind a proxy, under the load of callers."""

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, running_fleet
from tests.support.drains.front import running_caddy
from tests.support.drains.load import Answers, Load
from tests.support.factories import greeting, http_fan
from tests.support.http.scripted_server import serving

SLOW_SECONDS = 1
SETTLE_SECONDS = 3.0
"""Time for the proxy to see that a gateway is back; Caddy asks every two seconds."""


@dataclass(frozen=True, kw_only=True)
class Restarts:
    """Outcome of the restarts."""

    answers: Answers
    seconds: list[float]
    """Time from each SIGTERM to the exit."""


async def restart_gateway(folder: Path, restarts: int, callers: int) -> Restarts:
    """Restart one of two gateways behind Caddy so often, while callers go on."""
    with running_fleet(folder) as fleet:
        async with serving() as target:
            gateways = [fleet.start(GATEWAY) for _ in range(2)]
            for member in (*gateways, fleet.start(WORKER)):
                await asyncio.to_thread(member.wait_ready)
            slow = http_fan(f"{target.url}/slow/{SLOW_SECONDS}", 1)
            key = await asyncio.to_thread(fleet.make_key)
            slugs = {
                "quick": await asyncio.to_thread(fleet.save, key, "Quick", greeting()),
                "slow": await asyncio.to_thread(fleet.save, key, "Slow", slow),
            }
            with running_caddy(folder, [f"127.0.0.1:{each.port}" for each in gateways]) as url:
                load = Load(url, key, slugs)
                calling = asyncio.create_task(load.run(callers))
                seconds = await _restart(fleet, gateways[0].port, restarts)
                load.stopping.set()
                return Restarts(answers=await calling, seconds=seconds)


async def _restart(fleet: Fleet, port: int, restarts: int) -> list[float]:
    gateway = next(each for each in fleet.members if each.port == port)
    seconds = []
    for _ in range(restarts):
        await asyncio.sleep(SETTLE_SECONDS)
        began = time.monotonic()
        code = await asyncio.to_thread(gateway.end, signal.SIGTERM)
        seconds.append(time.monotonic() - began)
        assert code == 0, gateway.log.read_text()
        gateway = fleet.start(GATEWAY, port=port)
        await asyncio.to_thread(gateway.wait_ready)
    await asyncio.sleep(SETTLE_SECONDS)
    return seconds
