"""Parents with a group of children at a node, moved step by step."""

from collections.abc import Sequence
from typing import Any

from engine.executions.rows import pack_short_rows
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan
from engine.ids.executions import child_execution_id
from engine.store import Account, Store, Workflow
from engine.store.children.keys import GroupRef
from engine.store.children.records import (
    ChildCharge,
    Group,
    GroupOpened,
    GroupTarget,
    NewChild,
    NewGroup,
    OpenVerdict,
    WalkedChild,
)
from engine.store.executions.advance import Advanced, ChildEnd, Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.record_fields import NodeClaim, parse_hash
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.store.claims import advance, claim, due_at
from tests.support.store.records import BOTH_DONE, accept

FAR = 2**53
"""Time in milliseconds after all others."""
NODE = 0
NODE_ID = "t"
"""Node of `records.document` that has the children."""


class ChildRuns:
    """One root, whose first node runs, and its children."""

    def __init__(self, store: Store, account: Account, saved: tuple[Workflow, Plan]) -> None:
        self.store = store
        self.account = account
        self.workflow, self.plan = saved
        self.root_id = ""
        self.parent_id = ""
        self.parent: ClaimedExecution
        self.begun_at = 0
        """Time at which the node of the parent began."""

    @property
    def ref(self) -> GroupRef:
        return GroupRef(self.account.id, self.parent_id, NODE, self.root_id)

    async def begin_root(self, **options: Any) -> None:
        """Accept a root, claim it, and claim its first node."""
        accepted = await accept(self.store, self.account, self.workflow, self.plan, **options)
        self.root_id = accepted.id
        await self.become_parent(accepted.id)

    async def become_parent(self, execution_id: str) -> None:
        """Claim an execution and its first node: it is the parent of what opens next."""
        self.parent_id = execution_id
        self.parent = await claim(self.store, self.reference(execution_id), "w1", execution_id)
        step = Step(claimed=[NODE])
        assert await advance(self.store, self.parent, 1, step) is Verdict.OK
        self.begun_at = (await self.parent_claim()).at

    async def become_waiting_parent(self) -> None:
        """Claim the parent again, whose node has been woken, and the node."""
        self.parent = await claim(self.store, self.reference(self.parent_id), "w1", "again")
        step = Step(claimed=[NODE])
        assert await advance(self.store, self.parent, 1, step) is Verdict.OK

    def reference(self, execution_id: str) -> str:
        return keyspace.reference(self.account.id, execution_id)

    async def try_open(self, count: int = 3, **members: Any) -> OpenVerdict:
        target = GroupTarget(slug=self.workflow.slug, version=self.workflow.version)
        new = NewGroup(
            ref=self.ref,
            node_id=NODE_ID,
            target=target,
            depth=2,
            shared={"who": "me"},
            over="item",
            items=[f"item {index}" for index in range(count)],
            concurrency=10,
            object_prefix=self.parent.lease.object_prefix,
        )
        return await self.store.children.open(replaced(new, members))

    async def open(self, count: int = 3, **members: Any) -> Group:
        """Open a group and return it."""
        assert isinstance(await self.try_open(count, **members), GroupOpened)
        return await self.group()

    async def group(self) -> Group:
        group = await self.store.children.find(self.ref)
        assert group is not None
        return group

    def child_id(self, index: int) -> str:
        return child_execution_id(self.parent_id, NODE_ID, index)

    async def begin(
        self, *indexes: int, charge: ChildCharge | None = None, **fields: Any
    ) -> Sequence[int]:
        """Begin children, each with inputs of its own; return those begun."""
        new = [
            NewChild(
                index=index,
                statuses="pp",
                fields={
                    "slug": self.workflow.slug,
                    "version": self.workflow.version,
                    "key": "key_1",
                    "source": "sub",
                    "inputs": pack({"item": f"item {index}"}),
                    **fields,
                },
            )
            for index in indexes
        ]
        return await self.store.children.begin(await self.group(), new, charge)

    def walked(self, index: int) -> WalkedChild:
        """Return a child that a worker has walked before it begins."""
        fields = {"slug": self.workflow.slug, "version": 1, "key": "k", "source": "sub"}
        fields["inputs"] = pack({"item": index})
        return WalkedChild(
            new=NewChild(index=index, statuses="cc", fields=fields),
            rows=pack_short_rows([0, 1]),
            result=pack({"text": f"done {index}"}),
            plain=pack(f"done {index}"),
            size=10,
        )

    async def record(self, execution_id: str) -> dict[str, bytes]:
        key = keyspace.execution(self.account.id, execution_id)
        return parse_hash(await self.store.client.send("HGETALL", key))

    async def park(self, until: int = FAR, number: int = 2) -> Advanced:
        """Have the node of the parent wait, and leave the parent."""
        step = Step(parked=[(NODE, until)], leave=True)
        return await self.store.walks.advance(self.parent.lease, number, step)

    async def claim_child(self, index: int, worker: str = "w2") -> ClaimedExecution:
        return await claim(self.store, self.reference(self.child_id(index)), worker)

    async def end_child(
        self, index: int, end: ExecutionStatus = ExecutionStatus.COMPLETED, **members: Any
    ) -> Verdict:
        """Claim a child and end it, with members of `ChildEnd`."""
        claimed = await self.claim_child(index)
        is_completed = end is ExecutionStatus.COMPLETED
        step = Step(
            settled=BOTH_DONE if is_completed else [],
            end=end,
            slug=self.workflow.slug,
            child=ChildEnd(**members),
            error={"code": "X", "message": "broken"} if end is ExecutionStatus.FAILED else None,
        )
        return await advance(self.store, claimed, 1, step, "w2")

    async def end_parent(self, number: int = 2, worker: str = "w1") -> Verdict:
        """End the parent, whose node has run until now."""
        step = Step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED, slug=self.workflow.slug)
        return await advance(self.store, self.parent, number, step, worker)

    async def parent_claim(self) -> NodeClaim:
        """Return the claim of the parent's node."""
        return NodeClaim.parse((await self.record(self.parent_id))[f"n{NODE}"])

    async def due(self, execution_id: str) -> int | None:
        return await due_at(self.store, self.reference(execution_id))


def replaced(new: NewGroup, members: dict[str, Any]) -> NewGroup:
    """Return a group with other members."""
    values = {name: getattr(new, name) for name in new.__struct_fields__}
    return NewGroup(**(values | members))
