"""Execution that a test moves step by step, watched or not."""

from dataclasses import replace
from typing import Any

from engine.executions.events import BEFORE_ALL, Entry, EventId, read_events
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan
from engine.store import Account, Store, Workflow
from engine.store.executions.advance import Step
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.events import ProgressUpdate
from engine.store.redis import keyspace
from tests.support.store.records import BOTH_DONE, accept
from tests.support.store.redis_contents import contents

WORKER = "w1"
CHANNEL = "hr:notifier:of-the-test"


class Run:
    """Execution with two nodes and a worker."""

    def __init__(self, store: Store, account: Account, saved: tuple[Workflow, Plan]) -> None:
        self.store = store
        self.account = account
        self._saved = saved
        self.id = ""
        self._claimed: ClaimedExecution | None = None
        self._steps = 0
        self._batches = 0

    async def accept(self, watcher: str | None = None) -> None:
        """Accept the execution; `watcher` watches from the beginning."""
        accepted = await accept(self.store, self.account, *self._saved, watcher=watcher)
        self.id = accepted.id

    async def claim(self, worker: str = WORKER) -> ClaimedExecution:
        """Claim the execution."""
        self._claimed = await self.store.walks.claim(self.reference, worker)
        assert self._claimed is not None
        self._steps = 0
        return self._claimed

    @property
    def reference(self) -> str:
        return keyspace.reference(self.account.id, self.id)

    async def step(self, worker: str = WORKER, **parts: Any) -> bool:
        """Record a step; return whether the execution is watched."""
        assert self._claimed is not None
        self._steps += 1
        step = Step(**parts)
        step.rows = [NodeRow(index, 1, 5, 7) for index, _ in step.settled]
        advanced = await self.store.walks.advance(
            replace(self._claimed.lease, worker_id=worker), self._steps, step
        )
        assert advanced.verdict == "ok"
        return advanced.is_watched

    def forget_steps(self, count: int) -> None:
        """Lose the last steps, so that the next one takes the number of the first of them."""
        self._steps -= count

    async def publish(
        self,
        text: str,
        offset: int | None = 0,
        index: int = 0,
        batch: int = 0,
        worker: str = WORKER,
    ) -> bool:
        """Publish text of a node, in the next batch by default."""
        assert self._claimed is not None
        self._batches += not batch
        telling = ProgressUpdate(index=index, item=0, offset=offset, content=text)
        lease, number = replace(self._claimed.lease, worker_id=worker), batch or self._batches
        return await self.store.events.publish(lease, number, [telling])

    async def read(self, first: int = 1, channel: str = CHANNEL) -> list[Entry]:
        """Return the entries from this one on."""
        return list(
            (await self.store.events.read(self.account.id, self.id, first, channel)).entries
        )

    async def seen(self, after: EventId = BEFORE_ALL) -> list[tuple[str, str]]:
        """Return ids and names of the events after one, as a gateway reads them."""
        found, first = [], max(1, after.number)
        while entries := await self.read(first):
            found += [each for entry in entries for each in read_events(entry, after)]
            first = entries[-1].number + 1
        return [(str(name), event.name.value) for name, event in found]

    async def end(self) -> None:
        """Complete the execution."""
        await self.step(
            settled=BOTH_DONE,
            end=ExecutionStatus.COMPLETED,
            result=b"\xc0",
        )


async def names(store: Store) -> set[bytes]:
    """Return the kinds of existing keys."""
    return {key.split(b":")[1] for key in await contents(store.client)}
