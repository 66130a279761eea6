"""A process that calls a provider without executions: `python -m` this, with JSON options.

It prints a line when it is ready, waits for a line to begin, makes calls at a steady rate, whether
or not they are answered, and prints their outcomes.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from engine.errors.nodes import NodeFailed
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.worker_leases import make_worker_id
from engine.store.redis.address import RedisAddress
from tests.support.manifests import model
from workers.outbound.client import Egress
from workers.providers.base import ModelCall, NoCheckpoints
from workers.providers.limiter.call_limiter import CallLimiter
from workers.providers.model_caller import ModelCaller

ANSWERED = "answered"


@dataclass(frozen=True, kw_only=True)
class CallerOptions:
    """Options of a process."""

    redis_url: str
    provider_url: str
    seconds: float
    rates: Mapping[str, float]
    """Calls a second by account."""
    limits: str
    """The manifest, as TOML."""
    prompt: str = "Say something about [[stub]] rivers"

    def dump(self) -> str:
        """Return the options as an argument of a command."""
        return json.dumps(asdict(self))


class AccountCheckpoints(NoCheckpoints):
    """Checkpoints of one account's calls."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id


class SteadyCaller:
    """Makes the calls and counts their outcomes."""

    def __init__(self, options: CallerOptions, models: ModelCaller, begin: float) -> None:
        self._options = options
        self._begin = begin
        self._models = models
        endpoint = 'base_url = "http://127.0.0.1:9"\nbase_url_env = "STUB"\nmodel = "m"\n'
        self._model = model(call=f"[openai]\n{endpoint}\n{options.limits}")
        self._calls: set[asyncio.Task[None]] = set()
        self.outcomes: dict[str, Counter[str]] = {name: Counter() for name in options.rates}

    async def run(self) -> None:
        """Run until the time is over; calls that still wait are given up."""
        await asyncio.sleep(max(0.0, self._begin - time.time()))
        await asyncio.gather(*(self._offer(*each) for each in self._options.rates.items()))
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _offer(self, account_id: str, rate: float) -> None:
        count = 0
        while (passed := time.time() - self._begin) < self._options.seconds:
            for _ in range(count, int(passed * rate) + 1):
                task = asyncio.create_task(self._call(account_id))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
            count = int(passed * rate) + 1
            await asyncio.sleep(0.05)

    async def _call(self, account_id: str) -> None:
        model_call = ModelCall(checkpoints=AccountCheckpoints(account_id))
        try:
            await self._models.call(self._model, {"prompt": self._options.prompt}, model_call)
            self.outcomes[account_id][ANSWERED] += 1
        except NodeFailed as failure:
            self.outcomes[account_id][failure.code] += 1


async def work(options: CallerOptions) -> dict[str, Any]:
    """Return the outcomes by account."""
    store = Store.open(Settings(redis_url=options.redis_url))
    egress = Egress(allow_private=True)
    limiter = CallLimiter(store.governor, make_worker_id())
    async with limiter.running(RedisAddress.parse(options.redis_url)):
        models = ModelCaller(
            egress, limiter=limiter, environ={"STUB": f"{options.provider_url}/v1"}
        )
        print("ready", flush=True)
        offering = SteadyCaller(options, models, float(await asyncio.to_thread(sys.stdin.readline)))
        await offering.run()
    await egress.close()
    await store.close()
    return offering.outcomes


if __name__ == "__main__":
    print(json.dumps(uvloop.run(work(CallerOptions(**json.loads(sys.argv[1]))))))
