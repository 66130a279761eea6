"""A walker without the rest of its worker, whose calls wait until a test opens the gate."""

import asyncio
from typing import Any

from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.process.pool import Pool
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Runner, http_fan
from workers.nodes.executor import PRELOAD, Executor
from workers.runtime.limits import LoadGate
from workers.walk.walker import Walker

WORKER = "worker-1"


def executions_held(walker: Walker) -> int:
    """Return the number of executions that the walker has taken."""
    return len(walker._tasks)


class Gate:
    """Answers calls once it is opened; those to `/fail` fail immediately."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.opened = asyncio.Event()

    async def called(self, times: int) -> None:
        """Wait until there were this many calls."""

        async def count() -> int:
            return len(self.calls)

        await eventually(count, lambda found: found == times)

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call.url)
        if "fail" in call.url:
            return HttpAnswer(status=503, headers={}, body=b"")
        await self.opened.wait()
        return HttpAnswer(status=200, headers={}, body=b"done")


class HeldWalker:
    """A walker without the rest of its worker, and the number of slots it has freed."""

    def __init__(
        self, store: Store, pool: Any = None, models: Any = None, worker_id: str = WORKER
    ) -> None:
        self.gate = Gate()
        self.released = 0
        self.load_gate = LoadGate()
        self.walker = Walker(
            store=store,
            executor=Executor(self.gate, pool or Pool(slots=1, preload=PRELOAD), models),
            worker_id=worker_id,
            cpu_slots=1,
            max_bytes=1_000_000,
            release=self._release,
            load_gate=self.load_gate,
        )

    def _release(self) -> None:
        self.released += 1


async def begin_waiting(runner: Runner, held_walker: HeldWalker, calls: int = 1) -> str:
    """Start an execution whose calls wait at the gate; returns its reference."""
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", calls)))
    reference = keyspace.reference(runner.account.id, execution_id)
    held_walker.walker.take_hint(reference)
    await held_walker.gate.called(calls)
    return reference
