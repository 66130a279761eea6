"""Steps of a walk: outcomes of nodes are gathered, and recorded once, in order."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.executions.public_runs import hide_node
from engine.executions.rows import FailedAttemptRow, NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import NodeName
from engine.nodes.support.children import ALWAYS_FAILS
from engine.store.executions.advance import Advanced, Charge, ChildEnd, Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.record_fields import parse_name
from engine.store.executions.walks import Walks
from engine.store.webhooks.delivery_keys import WebhookOwner
from engine.webhooks.events import NODE_FINISHED
from engine.webhooks.payload import node_facts
from workers.runtime.store_retries import retry_until_answered

NO_RESERVATIONS: Mapping[int, int] = {}


class LeaseLost(Exception):
    """The lease is lost: another worker has the execution, or it has ended."""


class RecordBehind(Exception):
    """Redis has lost steps of this walk: the record is older than the walk's state."""


def failure_fields(failure: NodeFailed | None) -> dict[str, str] | None:
    """Return a failure as records have it."""
    return None if failure is None else {"code": failure.code, "message": failure.message}


class Recorder:
    """Gathers a step and records it; a step without a reply is sent again unchanged."""

    __slots__ = (
        "_claimed",
        "_gathered",
        "_names",
        "_note_parked",
        "_number",
        "_walks",
        "_webhook",
        "must_record",
    )

    def __init__(
        self,
        walks: Walks,
        claimed: ClaimedExecution,
        *,
        number: int = 1,
        names: Callable[[], Sequence[NodeName]] = tuple,
        note_parked: Callable[[int], None] = lambda index: None,
    ) -> None:
        """`names` returns the names of the nodes, for a webhook that is told of them.

        `note_parked` is called with each node that is on record as parked.
        """
        self._walks = walks
        self._claimed = claimed
        self._number = number
        self._gathered: Step | None = None
        self._note_parked = note_parked
        self._webhook = claimed.webhook
        is_told = self._webhook is not None and self._webhook.asks_for(NODE_FINISHED)
        self._names = names() if is_told else ()
        self.must_record = False
        """True when the step has outcomes that must not be repeated."""

    @property
    def _step(self) -> Step:
        """The next step, made when there is something to add."""
        if self._gathered is None:
            self._gathered = Step()
        return self._gathered

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to record."""
        step = self._gathered
        return step is None or not (step.settled or step.retrying or step.parked)

    @property
    def settled(self) -> set[int]:
        """Nodes that have ended and are not on record yet."""
        return {index for index, _ in self._step.settled}

    @property
    def parked(self) -> set[int]:
        """Nodes that are parked and not on record yet."""
        return set() if self._gathered is None else {index for index, _ in self._gathered.parked}

    def add_settled(
        self,
        index: int,
        status: NodeStatus,
        *,
        attempts: int,
        started_at: int,
        duration_ms: int,
        failure: NodeFailed | None,
        outputs: bytes | str | None,
        charge: Charge | None = None,
        turn_ms: int = 0,
    ) -> None:
        """Add a node that has ended; `outputs` are packed, or their name; `charge` is its cost.

        `turn_ms`: time for which the attempt waited for its turn at a provider.
        """
        if isinstance(outputs, str):
            self._step.names_objects = True
        self._step.settled.append((index, status))
        if charge is not None:
            self._step.charges[index] = charge
        credits = 0 if charge is None else charge.credits
        error = failure_fields(failure)
        self._step.rows.append(
            NodeRow(index, attempts, started_at, duration_ms, error, outputs, credits, turn_ms)
        )

    def add_skipped(self, index: int) -> None:
        """Add a skipped node."""
        self._step.settled.append((index, NodeStatus.SKIPPED))

    def add_retry(self, attempt: FailedAttemptRow) -> None:
        """Add a failed attempt; the node's next attempt is due after its pause."""
        self._step.retrying.append((attempt.index, attempt.pause_ms))
        self._step.failed_attempts.append(attempt)
        self.must_record = True

    def add_parked(self, index: int, at: int) -> None:
        """Add a node that waits until it is woken, or until this time in milliseconds."""
        self._step.parked = [*self._step.parked, (index, at)]
        self.must_record = True

    def drop_unpaid(self, called: Collection[int]) -> None:
        """Remove charged nodes and those that may depend on one: all but nodes in `called`."""
        step = self._step
        self.drop({i for i, _ in step.settled if i in step.charges or i not in called})

    def drop(self, indexes: set[int]) -> None:
        """Remove nodes that other walkers have recorded already."""
        step = self._step
        step.settled = [pair for pair in step.settled if pair[0] not in indexes]
        step.retrying = [pair for pair in step.retrying if pair[0] not in indexes]
        if step.parked:
            step.parked = [pair for pair in step.parked if pair[0] not in indexes]
        step.rows = [row for row in step.rows if row.index not in indexes]
        step.failed_attempts = [row for row in step.failed_attempts if row.index not in indexes]
        step.charges = {i: each for i, each in step.charges.items() if i not in indexes}

    async def record(
        self,
        *,
        claim: Sequence[int] = (),
        reservations: Mapping[int, int] = NO_RESERVATIONS,
        shares_work: bool = False,
    ) -> Advanced:
        """Record the step; `reservations` are the credits that claimed nodes may cost.

        Raises LeaseLost or RecordBehind.
        """
        self._prepare(claim, reservations, shares_work=shares_work)
        return await self._advance()

    async def leave(self, *, shares_work: bool) -> Advanced:
        """Record the step and leave; `shares_work` when other workers may go on at once.

        Raises LeaseLost or RecordBehind.
        """
        self._prepare(shares_work=shares_work, leave=True)
        return await self._advance()

    def _prepare(
        self,
        claim: Sequence[int] = (),
        reservations: Mapping[int, int] = NO_RESERVATIONS,
        *,
        shares_work: bool = False,
        leave: bool = False,
    ) -> None:
        step = self._step
        step.claimed, step.reservations = claim, reservations
        step.shares_work, step.leave, step.end = shares_work, leave, None

    async def end(
        self,
        status: ExecutionStatus,
        result: bytes,
        error: dict[str, Any] | None,
        *,
        plain: bytes = b"",
        size: int = 0,
        has_groups: bool = False,
    ) -> Advanced:
        """Record the step and end the execution with it. Raises LeaseLost or RecordBehind.

        A child's end gives its parent the `plain` result, and its root the size of its values in
        bytes. `has_groups`: nodes of the execution may have children.
        """
        self._prepare()
        self._step.retrying, self._step.parked = [], ()
        self._step.may_have_groups = has_groups or "groups" in self._claimed.record
        if self._claimed.group is not None:
            codes = () if error is None else (error["code"], error.get("nodeCode"))
            ends_root = not ALWAYS_FAILS.isdisjoint(codes)
            self._step.child = ChildEnd(result=plain, size=size, ends_root=ends_root)
        elif self._claimed.owner_id != self._claimed.account_id:
            error = hide_node(error)
        self._step.end, self._step.result, self._step.error = status, result, error
        self._step.batch_id = self._claimed.batch_id
        self._step.slug = self._claimed.slug
        self._step.has_release = "release" in self._claimed.record
        if parse_name(result) is not None:
            self._step.names_objects = True
        return await self._advance()

    def _make_facts(self) -> dict[int, bytes]:
        rows = {row.index: row for row in self._step.rows}
        return {
            index: node_facts(self._names[index], status, rows.get(index))
            for index, status in self._step.settled
        }

    async def _advance(self) -> Advanced:
        self._step.keeps_outputs_apart = self._claimed.keeps_outputs_apart
        self._step.webhook = self._webhook
        if self._names:
            self._step.node_facts = self._make_facts()
        lease, number, step = self._claimed.lease, self._number, self._step
        advanced = await retry_until_answered(
            lambda: self._walks.advance(lease, number, step), "record a step"
        )
        if advanced.verdict is Verdict.ARMED:
            self._webhook = WebhookOwner(self._claimed.key_id)
            return await self._advance()
        if advanced.verdict in (Verdict.ENDED, Verdict.FENCED):
            raise LeaseLost(advanced.verdict.value)
        if advanced.verdict is Verdict.BEHIND:
            raise RecordBehind
        if advanced.verdict in (Verdict.OK, Verdict.CONFLICT):
            self._number += 1
        if advanced.verdict is Verdict.OK:
            self._gathered = None
            for index, _ in step.parked:
                self._note_parked(index)
            self.must_record = False
        return advanced
