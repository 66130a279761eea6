"""A bench for the hint broker: a real Dramatiq worker over a real Redis."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import dramatiq
import redis

from engine.store.dispatch.hints import InlineRun, make_hint
from engine.store.redis import process_keys
from engine.store.redis.address import RedisAddress
from workers.runtime.broker import HintBroker, LoopWorker
from workers.runtime.limits import ConcurrencyLimit

KEY = process_keys.hints("walk")


@dataclass
class Bench:
    """A broker, its worker, and the arguments that the actor has received."""

    broker: HintBroker
    slots: ConcurrencyLimit
    client: "redis.Redis"
    taken: list[str] = field(default_factory=list)
    inline_run: list[InlineRun] = field(default_factory=list)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _awaited: int = 0

    async def start(self) -> None:
        await self._stack.enter_async_context(LoopWorker(self.broker).running())

    def take(self, argument: str, inline_run: InlineRun | None = None) -> None:
        """Be the actor."""
        self.taken.append(argument)
        if inline_run is not None:
            self.inline_run.append(inline_run)

    def send(self, *arguments: str) -> None:
        self.client.rpush(KEY, *(make_hint("walk", argument) for argument in arguments))

    async def wait_for(self, count: int) -> None:
        """Wait until this many further hints have arrived."""
        self._awaited += count
        await until(lambda: len(self.taken) >= self._awaited)

    async def is_quiet(self, seconds: float) -> bool:
        """Return whether no unexpected hint arrives for a while."""
        await asyncio.sleep(seconds)
        return len(self.taken) == self._awaited

    async def stop(self) -> float:
        """Stop as a worker process does; returns the seconds it took."""
        started = time.monotonic()
        await self._stack.aclose()
        return time.monotonic() - started


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not reached"
        await asyncio.sleep(0.0005)


Open = Callable[..., Awaitable[Bench]]


@contextlib.asynccontextmanager
async def benches() -> AsyncIterator[Open]:
    """Return a function that opens and starts benches."""
    opened: list[Bench] = []

    async def open_bench(url: str, slots: int = 100, client_url: str = "") -> Bench:
        broker = HintBroker(RedisAddress.parse(url), ConcurrencyLimit(slots))
        broker.declare_queue("bulk")
        bench = Bench(broker, broker.slots, redis.Redis.from_url(client_url or url))
        dramatiq.actor(broker=broker, actor_name="walk", queue_name="walk")(bench.take)
        opened.append(bench)
        await bench.start()
        return bench

    yield open_bench
    for bench in opened:
        await bench.stop()
        bench.broker.close()
        bench.client.close()
