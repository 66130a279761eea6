"""Executions whose first node waits, moved step by step."""

from typing import Any, Self

from engine.executions.node_waits import Answer, Answerer, AnswererKind, Decision, NewWait, WaitKind
from engine.store import Account, Store
from engine.store.executions.advance import Advanced, Step
from engine.store.executions.claim import ClaimedExecution
from engine.store.waits.node_waits import OpenVerdict, WaitOpened, WaitRef
from tests.support.store.child_runs import NODE, NODE_ID, ChildRuns
from tests.support.store.records import save

DAY = 86_400_000
"""Milliseconds."""
ASK = NewWait(
    kind=WaitKind.APPROVAL,
    duration_ms=DAY,
    title="Post it?",
    message="A text",
    fields=({"name": "where", "label": "where", "type": "text", "required": True},),
)
DELAY = NewWait(kind=WaitKind.DELAY, duration_ms=DAY)


def answer(decision: Decision = Decision.APPROVE, **members: Any) -> Answer:
    """Return the answer of a session."""
    by = Answerer(AnswererKind.SESSION, "acc")
    return Answer(**({"decision": decision, "fields": {}, "note": None, "by": by} | members))


class WaitRuns(ChildRuns):
    """A root, whose first node waits or has a child that does."""

    @classmethod
    async def rooted(cls, store: Store, account: Account) -> Self:
        """Save a workflow, and return a root of it whose first node runs."""
        runs = cls(store, account, await save(store, account))
        await runs.begin_root()
        return runs

    @property
    def asked(self) -> WaitRef:
        """Node of the root, or of the execution that `become_parent` has claimed last."""
        return WaitRef.of(self.parent.lease, NODE)

    async def try_wait(
        self, new: NewWait = ASK, claimed: ClaimedExecution | None = None
    ) -> OpenVerdict:
        lease = (claimed or self.parent).lease
        return await self.store.node_waits.open(WaitRef.of(lease, NODE), NODE_ID, new)

    async def wait(self, new: NewWait = ASK, claimed: ClaimedExecution | None = None) -> WaitOpened:
        """Open the wait of a first node that runs."""
        opened = await self.try_wait(new, claimed)
        assert isinstance(opened, WaitOpened)
        return opened

    async def ask(self, new: NewWait = ASK) -> Advanced:
        """Open the wait of the first node, and leave the execution to it."""
        return await self.park((await self.wait(new)).until)

    async def ask_in_child(self, index: int, new: NewWait = ASK) -> WaitRef:
        """Claim a child that has begun, and leave it with a first node that waits."""
        child = await self.claim_child(index)
        await self.store.walks.advance(child.lease, 1, Step(claimed=[NODE]))
        opened = await self.wait(new, child)
        await self.store.walks.advance(
            child.lease, 2, Step(parked=[(NODE, opened.until)], leave=True)
        )
        return WaitRef.of(child.lease, NODE)
