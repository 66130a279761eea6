"""Attempts at nodes that wait: open the wait, park the node, give the outputs when it is over.

An attempt finds the wait of the node on record, or opens it. It ends at once: the node is parked
until the time of the wait, and the next attempt finds an answer, ends a wait whose time has come,
or parks the node again. A worker that dies in between leaves nothing that the next attempt would
not find, or do again to the same effect.
"""

from collections.abc import Mapping
from typing import Any, cast

from engine.errors.nodes import NodeFailed, invalid_output
from engine.executions.node_waits import MAX_WAITING, Answer, AnswererKind, NodeWait
from engine.graph.plan import Node
from engine.nodes.approval import Approval
from engine.nodes.support.base import Outputs
from engine.nodes.support.waits import WaitingNode
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis.record_packing import pack
from engine.store.waits.node_waits import (
    ExecutionOver,
    StillWaiting,
    TooManyWaits,
    WaitEnded,
    WaitOpened,
    WaitRef,
    timeout_answer,
)
from engine.store.waits.records import parse_wait
from engine.telemetry import metrics
from workers.nodes.executor import AttemptOutcome
from workers.walk.dependencies import WalkDependencies

NEVER = 2**53
"""Time in milliseconds after all others: the node is due when it is woken."""
EARLY_MS = 50
"""Pause of a node whose time has come by the clock of the walk, and not yet by that of Redis."""
TIMEOUT = "timeout"
"""Outcome of a wait whose time has come, in metrics."""
TOO_MANY_WAITS = "too_many_waits"
"""Code of a node that would wait where too many executions of its account do."""
APPROVAL_FORBIDDEN = "approval_forbidden"
"""Code of an approval that another account than that of its workflow comes to."""


class WaitAttempts:
    """Runs attempts at the nodes of one execution that wait."""

    __slots__ = ("_claimed", "_tried", "_waits")

    def __init__(self, claimed: ClaimedExecution, dependencies: WalkDependencies) -> None:
        self._claimed = claimed
        self._waits = dependencies.node_waits
        self._tried: set[int] = set()
        """Nodes at which this walk has made an attempt."""

    async def run(self, node: Node, inputs: Mapping[str, Any], now: int) -> AttemptOutcome:
        """Open the wait of a node, park the node, or return its outputs; `now` is in milliseconds.

        Raises StoreFull or Unavailable.
        """
        began_at = None
        try:
            wait = await self._find(node)
            if wait is None:
                return await self._open(node, inputs, now)
            began_at = self._began_at(wait)
            return await self._go_on(node, inputs, wait, now)
        except NodeFailed as failure:
            return AttemptOutcome(failure=failure, began_at=began_at)
        except (OverflowError, UnicodeEncodeError):
            return AttemptOutcome(failure=invalid_output(), began_at=began_at)

    async def _find(self, node: Node) -> NodeWait | None:
        """Return the wait of a node, which the first attempt of a walk finds in its claim.

        An answer since the claim wakes the node, however it is parked, and `open` and `end` find
        what other walkers have done.
        """
        claimed, index = self._claimed, node.index
        if index in self._tried:
            return await self._waits.find(self._ref(node))
        self._tried.add(index)
        return parse_wait(claimed.account_id, claimed.execution_id, claimed.record, index)

    def _began_at(self, wait: NodeWait) -> int | None:
        """Return the begin of a wait; None: a retry has kept it, and begins its node now."""
        created = int(self._claimed.record.get("created", 0))
        return wait.since if wait.since >= created else None

    def _ref(self, node: Node) -> WaitRef:
        return WaitRef.of(self._claimed.lease, node.index)

    async def _open(self, node: Node, inputs: Mapping[str, Any], now: int) -> AttemptOutcome:
        claimed, kind = self._claimed, cast(WaitingNode, node.type)
        if isinstance(kind, Approval) and claimed.owner_id != claimed.account_id:
            # A save and the switch refuse it; this is one that came in between.
            message = "Only runs by the account of the workflow can ask a person"
            raise NodeFailed(APPROVAL_FORBIDDEN, message)
        new = kind.begin(node.settings, inputs, now)
        if new is None:
            return _completed(kind.collect(node.settings, inputs))
        match await self._waits.open(self._ref(node), node.id, new):
            case WaitOpened(until=until):
                metrics.WAITS_OPENED.labels(new.kind.value).inc()
                return AttemptOutcome(parked_until=until)
            case TooManyWaits(count=count):
                message = f"At most {MAX_WAITING} runs of an account wait at a time, and {count} do"
                raise NodeFailed(TOO_MANY_WAITS, message)
            case ExecutionOver():
                return AttemptOutcome(parked_until=NEVER)  # the next step says so

    async def _go_on(
        self, node: Node, inputs: Mapping[str, Any], wait: NodeWait, now: int
    ) -> AttemptOutcome:
        """Return the outputs where a wait is over or its time has come; else park the node."""
        if wait.answer is not None or wait.over_at is not None:
            return self._collect(node, inputs, wait, wait.answer)
        if not wait.is_open:
            return AttemptOutcome(parked_until=NEVER)  # the next step says so
        if wait.until > now:
            return AttemptOutcome(parked_until=wait.until)
        match await self._waits.end(self._ref(node), timeout_answer(wait)):
            case WaitEnded(answer=answer):
                if _outcome(answer) == TIMEOUT:
                    metrics.WAIT_LATENESS.observe(max(0, now - wait.until) / 1000)
                return self._collect(node, inputs, wait, answer)
            case StillWaiting():
                return AttemptOutcome(parked_until=wait.until + EARLY_MS)
            case ExecutionOver():
                return AttemptOutcome(parked_until=NEVER)

    def _collect(
        self, node: Node, inputs: Mapping[str, Any], wait: NodeWait, answer: Answer | None
    ) -> AttemptOutcome:
        began_at = self._began_at(wait)
        if began_at is not None:
            metrics.WAITS_ENDED.labels(wait.kind.value, _outcome(answer)).inc()
        outputs = cast(WaitingNode, node.type).collect(node.settings, inputs, answer)
        return _completed(outputs, began_at)


def _outcome(answer: Answer | None) -> str:
    """Return the outcome of an ended wait as metrics name it."""
    if answer is None or answer.by.kind is AnswererKind.TIMEOUT:
        return TIMEOUT
    return answer.decision.value


def _completed(outputs: Outputs, began_at: int | None = None) -> AttemptOutcome:
    return AttemptOutcome(outputs, pack(outputs), began_at=began_at)
