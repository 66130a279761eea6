"""Executions that have ended, and deliveries, in one line each."""

from dataclasses import dataclass
from typing import Any

from engine.executions.rows import NodeRow, StepRows, pack_rows
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.graph.plan_digest import plan_digest
from engine.store import Account, Store, Workflow
from engine.store.dispatch.hints import InlineRun
from engine.store.executions.advance import Charge, Step, UnclaimedWalk
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.schedule import DeliveryVerdict
from tests.support.store.records import BOTH_DONE, accept, save

URL = "https://example.com/hook"
FAILED = {"code": "EXECUTION_FAILED", "message": "The node failed", "nodeId": "t"}
NODE_ERROR = {"code": "http_status", "message": "The server answered 500"}


@dataclass(frozen=True)
class Ending:
    """A workflow of two nodes whose executions end as a test wants."""

    store: Store
    account: Account
    workflow: Workflow
    plan: Plan

    @classmethod
    async def of(cls, store: Store, account: Account, name: str = "Echo") -> "Ending":
        """Save the workflow."""
        return cls(store, account, *await save(store, account, name))

    async def accept(self, **options: Any) -> str:
        """Accept an execution with options of `accept`; return its reference."""
        options = {"inputs": {"who": "Ada"}, **options}
        accepted = await accept(self.store, self.account, self.workflow, self.plan, **options)
        return keyspace.reference(self.account.id, accepted.id)

    async def walk(self, reference: str, **changes: Any) -> None:
        """Claim the execution and end it in one step."""
        claimed = await self.store.walks.claim(reference, "w1")
        assert claimed is not None
        outputs = pack({"text-out": "hello"})
        rows = [NodeRow(0, 1, claimed.now, 5, None, outputs), NodeRow(1, 1, claimed.now, 1)]
        step = Step(
            settled=list(BOTH_DONE),
            rows=changes.pop("rows", rows),
            end=changes.pop("end", ExecutionStatus.COMPLETED),
            result=changes.pop("result", pack({"text": "hello"})),
            webhook=claimed.webhook,
            slug=self.workflow.slug,
            **changes,
        )
        await self.store.walks.advance(claimed.lease, 1, step)

    async def completed(self, **options: Any) -> str:
        """Return the reference of an execution that has completed."""
        reference = await self.accept(**options)
        await self.walk(reference)
        return reference

    async def failed(self, **options: Any) -> str:
        """Return the reference of an execution whose first node has failed."""
        reference = await self.accept(**options)
        claimed = await self.store.walks.claim(reference, "w1")
        assert claimed is not None
        step = Step(
            settled=[(0, NodeStatus.FAILED)],
            rows=[NodeRow(0, 3, claimed.now, 7, NODE_ERROR)],
            end=ExecutionStatus.FAILED,
            error=FAILED,
            webhook=claimed.webhook,
            slug=self.workflow.slug,
        )
        await self.store.walks.advance(claimed.lease, 1, step)
        return reference

    async def cancelled(self, **options: Any) -> str:
        """Return the reference of an execution that was cancelled before it was claimed."""
        reference = await self.accept(**options)
        await self.store.executions.cancel(*keyspace.parse_reference(reference))
        return reference

    async def walked_unclaimed(self) -> str:
        """Return the reference of an execution that was completed without a claim."""
        reference = await self.accept()
        assert await self.finish(reference) is not None
        return reference

    async def finish(self, reference: str, token: str = "token") -> int | None:
        """Complete an execution without a claim, and return the milliseconds that it waited.

        None: this walk has not ended it.
        """
        finished = UnclaimedWalk(
            inline_run=InlineRun(
                slug=self.workflow.slug,
                version=self.workflow.version,
                inputs=pack({"who": "Ada"}),
            ),
            codes="cc",
            rows=pack_rows(StepRows([NodeRow(0, 1, 0, 3), NodeRow(1, 1, 3, 4)])),
            result=pack({"text": "done"}),
            elapsed_ms=9,
            plan=plan_digest(self.plan),
        )
        walks = self.store.walks
        return walks.take_finished(reference, await walks.finish(reference, token, finished))

    async def with_webhook(self) -> str:
        """Save a webhook for a new key; return the key's id."""
        key, _ = await self.store.api_keys.create(
            self.account, name="k", capabilities=["workflow:run", "webhook:receive"]
        )
        await self.store.webhooks.save(
            self.account.id, key.id, url=URL, secret="a long secret 1234"
        )
        return key.id

    async def deliver(
        self, reference: str, status: DeliveryStatus = DeliveryStatus.DELIVERED
    ) -> None:
        """Attempt the delivery of an execution's end, with this outcome."""
        receiver = await self.store.deliveries.find_receiver(reference)
        assert receiver is not None
        claimed = await self.store.deliveries.claim(reference, receiver)
        assert claimed is not None
        attempt = Attempt(at=claimed.now, status=200, duration_ms=5, body="ok")
        await self.store.deliveries.settle(claimed, attempt, DeliveryVerdict(status=status))


CHARGE = Charge(credits=5, micro_usd=3_000)
