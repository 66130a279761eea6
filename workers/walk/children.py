"""Attempts at nodes that wait for children: open the group, park the node, collect the results.

An attempt finds the group of the node on record, or opens it. It ends at once: the node is parked
until the group is decided, and the next attempt collects the results. A worker that dies in between
leaves nothing that the next attempt would not find, or do again to the same effect.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from engine.errors import StorageFailed
from engine.errors.nodes import STORAGE, NodeFailed, invalid_output
from engine.executions.batches import ItemStatus
from engine.executions.children import MAX_CHILDREN, GroupStatus
from engine.executions.run_depth import MAX_DEPTH
from engine.graph.plan import Node
from engine.nodes.agents.agent import Agent
from engine.nodes.support.children import ChildrenNode, ChildrenSpec, ChildResult
from engine.process.pool import timed_out
from engine.services.runs.child_plans import WORKFLOW_NOT_FOUND
from engine.store.children.keys import GroupRef
from engine.store.children.records import (
    CalleeGone,
    ChildOutcome,
    Group,
    GroupOpened,
    GroupTarget,
    NewGroup,
    ParentEnded,
    TooManyChildren,
)
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import size_of
from engine.store.redis.record_packing import pack, unpack
from engine.telemetry.metrics import STORAGE_FAILURES
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import NodeMemory
from workers.walk.agents.attempts import AgentAttempts
from workers.walk.dependencies import WalkDependencies

NEVER = 2**53
"""Time in milliseconds after all others: the node is due when it is woken."""
READ_AT_ONCE = 8
"""Large results that are read at once."""
NOT_STORED = "The inputs of the children are large, and where such are kept they were not stored"


class ChildrenAttempts:
    """Runs attempts at the nodes of one execution that wait for children."""

    __slots__ = (
        "_agents",
        "_children",
        "_claimed",
        "_feed_soon",
        "_max_bytes",
        "_offloaded",
        "_opened",
        "_targets",
    )

    def __init__(self, claimed: ClaimedExecution, dependencies: WalkDependencies) -> None:
        self._claimed = claimed
        self._children = dependencies.children
        self._targets = dependencies.child_targets
        self._offloaded = dependencies.offloaded
        self._max_bytes = dependencies.max_bytes
        self._feed_soon = dependencies.feed_children
        self._agents = AgentAttempts(claimed, dependencies, self._read, self.feed)
        self._opened: set[int] = set()
        """Nodes whose groups this walk has opened, or tried to."""

    async def run(
        self, node: Node, inputs: Mapping[str, Any], memory: NodeMemory, now: int
    ) -> AttemptOutcome:
        """Open the node's group, park the node, or return its outputs; `now` is in milliseconds.

        Raises Unavailable.
        """
        began_at = None
        try:
            group = None if self._is_new(node.index) else await self._find(node.index)
            if isinstance(node.type, Agent):
                began_at = None if group is None else group.created_at
                self._opened.add(node.index)
                return await self._agents.run(node, inputs, group, memory, now)
            if group is None:
                return await self._open(node, inputs, now)
            began_at = group.created_at
            if _is_timed_out(node, group, now):
                await self._children.cancel(group.ref)
                self.feed(node.index)
                raise timed_out(node.policy.timeout_seconds or 0)
            if not group.is_decided:
                return AttemptOutcome(parked_until=_deadline(node, began_at))
            outputs = await self._collect(node, group, memory)
            return AttemptOutcome(outputs, pack(outputs), began_at=began_at)
        except NodeFailed as failure:
            return AttemptOutcome(failure=failure, began_at=began_at)
        except StorageFailed:
            STORAGE_FAILURES.inc()
            return AttemptOutcome(failure=NodeFailed(STORAGE, NOT_STORED))
        except (OverflowError, UnicodeEncodeError):
            return AttemptOutcome(failure=invalid_output(), began_at=began_at)

    def _is_new(self, index: int) -> bool:
        """Return whether no group of the node was on record, as far as this walk knows.

        One that another walker has opened meanwhile is found by `open`.
        """
        groups = self._claimed.record.get("groups", b"").decode()
        is_known = f",{index}=" in f",{groups}"
        return self._claimed.fence == 1 and not is_known and index not in self._opened

    def _find(self, index: int) -> Awaitable[Group | None]:
        return self._children.find(self._ref(index))

    def _ref(self, index: int) -> GroupRef:
        claimed = self._claimed
        return GroupRef(claimed.account_id, claimed.execution_id, index, claimed.root_id)

    def feed(self, index: int) -> None:
        """Begin or cancel children of a node soon; otherwise the next look at its group does so."""
        self._feed_soon(self._ref(index))

    # -- opening ----------------------------------------------------------------------------------

    async def _open(self, node: Node, inputs: Mapping[str, Any], now: int) -> AttemptOutcome:
        kind = cast(ChildrenNode, node.type)
        if self._claimed.depth > MAX_DEPTH:
            message = f"Runs have begun each other {MAX_DEPTH} deep, and no deeper"
            raise NodeFailed("loop_detected", message)
        target, found = await self._targets.find(self._claimed, node)
        spec = kind.begin(node.settings, inputs, found.plan.fields)
        if spec.over is not None and not spec.items:
            outputs = kind.collect(node.settings, [])
            return AttemptOutcome(outputs, pack(outputs))
        self._opened.add(node.index)
        verdict = await self._children.open(self._new_group(node, spec, target))
        match verdict:
            case GroupOpened(created_at=created_at):
                return AttemptOutcome(parked_until=_deadline(node, created_at))
            case TooManyChildren(count=count):
                message = f"A run has at most {MAX_CHILDREN} children, and this one has {count}"
                raise NodeFailed("too_many_children", message)
            case CalleeGone():
                message = f"The workflow '{target.slug}' that this node calls is gone"
                raise NodeFailed(WORKFLOW_NOT_FOUND, message)
            case ParentEnded():
                return AttemptOutcome(parked_until=NEVER)  # the next step says so

    def _new_group(self, node: Node, spec: ChildrenSpec, target: GroupTarget) -> NewGroup:
        claimed = self._claimed
        return NewGroup(
            ref=self._ref(node.index),
            node_id=node.id,
            target=target,
            depth=claimed.depth + 1,
            shared=spec.shared,
            over=spec.over,
            items=spec.items or (),
            with_index=spec.with_index,
            concurrency=spec.concurrency,
            on_error=spec.on_item_error.value,
            former=claimed.record.get("retry_of", b"").decode(),
            object_prefix=claimed.lease.object_prefix,
        )

    # -- collecting -------------------------------------------------------------------------------

    async def _collect(self, node: Node, group: Group, memory: NodeMemory) -> Mapping[str, Any]:
        """Return the outputs of a node whose group is decided. Raises NodeFailed."""
        kind = cast(ChildrenNode, node.type)
        if group.failed is not None:
            failed = await self._failed_result(group, group.failed)
            return kind.collect(node.settings, failed)
        outcomes = await self._children.outcomes(group, range(group.size))
        return kind.collect(node.settings, await self._read(outcomes, memory))

    async def _failed_result(self, group: Group, index: int) -> Sequence[ChildResult]:
        """Return results of which the one that fails the node is read; the others are left."""
        [outcome] = await self._children.outcomes(group, [index])
        results = [ChildResult(status=ItemStatus.CANCELLED)] * group.size
        results[index] = _result(outcome, None)
        return results

    async def _read(
        self, outcomes: Sequence[ChildOutcome], memory: NodeMemory
    ) -> Sequence[ChildResult]:
        """Return the results with their values, of which large ones are objects."""
        size = sum(_size(each) for each in outcomes)
        if size > self._max_bytes:
            message = f"The results of the children are over {self._max_bytes} bytes"
            raise NodeFailed("run_too_large", message)
        await memory.reserve(size)
        results: list[ChildResult] = []
        for first in range(0, len(outcomes), READ_AT_ONCE):
            some = outcomes[first : first + READ_AT_ONCE]
            if any(each.name is not None for each in some):
                results += await asyncio.gather(*(self._read_one(each) for each in some))
            else:
                results += [_result(each, each.packed) for each in some]
        return results

    async def _read_one(self, outcome: ChildOutcome) -> ChildResult:
        if outcome.name is None:
            return _result(outcome, outcome.packed)
        claimed = self._claimed
        try:
            packed = await self._offloaded.read(
                claimed.account_id, claimed.execution_id, outcome.name
            )
        except (FileNotFoundError, StorageFailed):
            message = f"The result of child {outcome.index} cannot be read from where it is kept"
            raise NodeFailed(STORAGE, message) from None
        return _result(outcome, packed)


def _result(outcome: ChildOutcome, packed: bytes | None) -> ChildResult:
    value = unpack(packed) if packed else None
    return ChildResult(status=outcome.status, value=value, error=_innermost(outcome.error))


def _innermost(error: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """Return a child's error with the code and the reason of the node that failed in it."""
    if error is None:
        return None
    code = error.get("nodeCode") or error["code"]
    return {"code": code, "message": error.get("reason") or error["message"]}


def _size(outcome: ChildOutcome) -> int:
    return size_of(outcome.name) if outcome.name is not None else len(outcome.packed or b"")


def _deadline(node: Node, began_at: int) -> int:
    """Return the time in milliseconds at which the node fails if its children still run."""
    seconds = node.policy.timeout_seconds
    return NEVER if seconds is None else began_at + int(seconds * 1000)


def _is_timed_out(node: Node, group: Group, now: int) -> bool:
    """Return whether the node's time is up, or was when an earlier attempt cancelled the group."""
    if node.policy.timeout_seconds is None or group.failed is not None:
        return False
    if group.status is GroupStatus.DONE:
        return ItemStatus.CANCELLED.code in group.states
    return group.status is GroupStatus.CANCELLING or _deadline(node, group.created_at) <= now
