"""A cancel during the end of a run: one end, its price, and one event."""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass

import pytest

from engine.errors import ExecutionNotCancellable
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.settings import Settings
from engine.store import Store, Workflow
from engine.store.executions.advance import Charge, Verdict
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph, Runner
from tests.support.store.records import accept
from tests.support.workers.paying_account import PRICE, PRO, answer, model_node
from workers.walk.step import Recorder

WORKER = "worker-1"
RESULT = {"text": "done"}
AT_ONCE = 25


@dataclass
class Race:
    """One execution with one charged node, whose worker and canceller do not wait."""

    runner: Runner
    canceller: Store
    workflow: Workflow
    plan: Plan
    draw: random.Random

    async def run(self) -> str:
        """Accept, let the worker and the cancel race, and return the end."""
        accepted = await accept(
            self.runner.store,
            self.runner.account,
            self.workflow,
            self.plan,
            key_id="key",
            terms=PRO,
            webhook_url="https://example.com/",
        )
        await asyncio.gather(self._work(accepted.id), self._cancel(accepted.id))
        return await self._check(accepted.id)

    async def _cancel(self, execution_id: str) -> None:
        await asyncio.sleep(self.draw.random() * 0.02)
        with contextlib.suppress(ExecutionNotCancellable):
            await self.canceller.executions.cancel(self.runner.account.id, execution_id)

    async def _work(self, execution_id: str) -> None:
        """Do a worker's steps, as many as it likes."""
        reference = keyspace.reference(self.runner.account.id, execution_id)
        await asyncio.sleep(self.draw.random() * 0.008)
        claimed = await self.runner.store.walks.claim(reference, WORKER)
        if claimed is None:
            return  # it was cancelled before
        recorder = Recorder(self.runner.store.walks, claimed)
        begun = await recorder.record(claim=[0], reservations={0: PRICE})
        is_done = False
        if begun.verdict is Verdict.OK:
            await asyncio.sleep(self.draw.random() * 0.008)
            is_done = await self._finish(recorder, claimed.now)
        if is_done and self.draw.random() < 0.5:
            begun = await recorder.record()
        await self._end(recorder, is_done and begun.verdict is Verdict.OK, is_done)

    async def _finish(self, recorder: Recorder, now: int) -> bool:
        """Return the provider's answer, unless the order to stop comes first."""
        if self.draw.random() < 0.2:
            return False
        for index in range(2):
            recorder.add_settled(
                index,
                NodeStatus.COMPLETED,
                attempts=1,
                started_at=now,
                duration_ms=1,
                failure=None,
                outputs=None,
                charge=Charge(PRICE, 10_000) if index == 0 else None,
            )
        return True

    async def _end(self, recorder: Recorder, is_whole: bool, is_done: bool) -> None:
        """End as a walk does: completed, or cancelled when that is refused."""
        result = pack(RESULT) if is_done else b""
        if is_whole:
            ended = await recorder.end(ExecutionStatus.COMPLETED, result, None)
            if ended.verdict is Verdict.OK:
                return
        ended = await recorder.end(ExecutionStatus.CANCELLED, result, None)
        assert ended.verdict is Verdict.OK

    async def _check(self, execution_id: str) -> str:
        store, account_id = self.runner.store, self.runner.account.id
        execution = await store.executions.get(account_id, execution_id)
        is_paid = execution.nodes[0].status == "completed"
        assert execution.credits_cost == (PRICE if is_paid else 0)
        assert execution.result == (RESULT if is_paid else None)
        assert execution.status == "cancelled" or is_paid
        delivery = await store.client.send(
            "HMGET", keyspace.delivery(account_id, execution_id), "event", "status"
        )
        assert delivery == [f"execution.{execution.status.value}".encode(), b"pending"]
        return execution.status.value + (" with its result" if is_paid else "")


@pytest.mark.F45
@pytest.mark.F50
async def test_a_cancel_and_an_end_that_race_have_one_outcome(
    runner: Runner, settings: Settings
) -> None:
    draw = random.Random(50)
    canceller = Store.open(settings)
    slug = await runner.save(answer(model_node(Graph(), "one"), "one"))
    workflow, plan = await runner.store.workflows.plan(slug)
    assert plan is not None
    ends: Counter[str] = Counter()

    for _ in range(1_000 // AT_ONCE):
        await runner.store.wallets.top_up(runner.account.id, PRO, AT_ONCE * PRICE)
        races = [Race(runner, canceller, workflow, plan, draw) for _ in range(AT_ONCE)]
        ends.update(await asyncio.gather(*(race.run() for race in races)))
    await canceller.close()

    paid = (ends.total() - ends["cancelled"]) * PRICE
    wallet = await runner.store.wallets.get(runner.account.id, PRO)
    listed = keyspace.webhook_deliveries(runner.account.id, "key")
    assert set(ends) == {"completed with its result", "cancelled with its result", "cancelled"}
    assert min(ends.values()) > 50
    assert wallet.balance == 1_000 * PRICE + PRO.allowance - paid
    assert wallet.reserved == 0
    assert await runner.store.wallets.check(runner.account.id) == []
    assert await runner.store.client.send("ZCARD", listed) == 1_000
