"""Steps of a walk: outcomes of nodes are settled and charged, and recorded once, in order."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine import metrics
from engine.billing.credits import node_credits
from engine.errors.nodes import NodeFailed
from engine.executions import retry
from engine.executions.public_runs import hide_node
from engine.executions.rows import FailedAttemptRow, NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import NodeName, Plan
from engine.models.manifest import Model
from engine.models.pricing import cost_micro_usd, credits_for
from engine.models.registry import find_model
from engine.store.executions.advance import Advanced, Charge, Step, Unpaid, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.record_fields import NodeClaim, pack_name, parse_name, parse_rows
from engine.store.executions.walks import Walks
from engine.store.redis.record_packing import pack
from engine.store.webhooks.delivery_keys import WebhookOwner
from engine.webhooks.events import NODE_FINISHED
from engine.webhooks.payload import node_facts
from workers.nodes.executor import AttemptOutcome, describe
from workers.runtime.store_retries import retry_until_answered
from workers.walk.state import WalkState

NO_RESERVATIONS: Mapping[int, int] = {}
NO_RESULT = pack(None)


class LeaseLost(Exception):
    """The lease is lost: another worker has the execution, or it has ended."""


class RecordBehind(Exception):
    """Redis has lost steps of this walk: the record is older than the walk's state."""


def _failure_fields(failure: NodeFailed | None) -> dict[str, str] | None:
    """Return a failure as records have it."""
    return None if failure is None else {"code": failure.code, "message": failure.message}


class Recorder:
    """Gathers a step and records it; a step without a reply is sent again unchanged."""

    __slots__ = ("_claimed", "_gathered", "_names", "_number", "_walks", "_webhook", "must_record")

    def __init__(
        self,
        walks: Walks,
        claimed: ClaimedExecution,
        *,
        number: int = 1,
        names: Callable[[], Sequence[NodeName]] = tuple,
    ) -> None:
        """`names` returns the names of the nodes, for a webhook that is told of them."""
        self._walks = walks
        self._claimed = claimed
        self._number = number
        self._gathered: Step | None = None
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
        return self._gathered is None or not self._step.settled and not self._step.retrying

    @property
    def settled(self) -> set[int]:
        """Nodes that have ended and are not on record yet."""
        return {index for index, _ in self._step.settled}

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
        error = _failure_fields(failure)
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

    def drop(self, indexes: set[int]) -> None:
        """Remove nodes that other walkers have recorded already."""
        step = self._step
        step.settled = [pair for pair in step.settled if pair[0] not in indexes]
        step.retrying = [pair for pair in step.retrying if pair[0] not in indexes]
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
        self, status: ExecutionStatus, result: bytes, error: dict[str, Any] | None
    ) -> Advanced:
        """Record the step and end the execution with it. Raises LeaseLost or RecordBehind."""
        self._prepare()
        self._step.retrying = []
        if self._claimed.owner_id != self._claimed.account_id:
            error = hide_node(error)
        self._step.end, self._step.result, self._step.error = status, result, error
        self._step.batch_id = self._claimed.batch_id
        self._step.slug = self._claimed.slug
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
            self.must_record = False
        return advanced


class NodeSettlement:
    """Settles the nodes of one walk, in its state and with their charges in its next step.

    Prices are those of the terms on the execution's record.
    """

    __slots__ = (
        *("_claimed", "_clock", "_counts", "_models", "_plan", "_recorder", "_state"),
        *("_walk_started", "failed", "result"),
    )

    def __init__(
        self, claimed: ClaimedExecution, plan: Plan, state: WalkState, recorder: Recorder
    ) -> None:
        self._claimed = claimed
        self._plan = plan
        self._state = state
        self._recorder = recorder
        self._clock = asyncio.get_running_loop().time
        self._walk_started = self._clock()
        self._counts: list[tuple[str, NodeStatus]] = []
        self._models: dict[int, Model] = {}
        """Model version of each reservation; the charge uses it although the model has changed."""
        self.failed: tuple[int, NodeFailed] | None = None
        """The node that fails the execution, and its failure."""
        self.result = NO_RESULT
        """The packed result of the execution."""

    @property
    def error(self) -> dict[str, Any] | None:
        """Error of the execution, None unless a node has failed it."""
        if self.failed is None:
            return None
        index, failure = self.failed
        return describe(self._plan.nodes[index].name, failure)

    def count_nodes(self) -> None:
        """Add the settled nodes to the metrics."""
        for (node_type, status), count in Counter(self._counts).items():
            metrics.NODES_ENDED.labels(node_type, status.value).inc(count)

    def restore_result(self, record: Mapping[str, bytes]) -> None:
        """Take the result from the record where the node that gives it has settled already."""
        node = self._plan.result_node
        row = None if node is None else parse_rows(record).get(node)
        outputs = None if row is None else row.outputs
        if outputs is not None:
            self.result = outputs if isinstance(outputs, bytes) else pack_name(outputs)

    def settle(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        """Settle a node whose attempt began at `started`, or schedule its retry."""
        claim = self._state.claims.get(index)
        attempts = 1 if claim is None else claim.attempts
        failure = outcome.failure
        started_at = self._claimed.now + int((started - self._walk_started) * 1000)
        duration_ms = int((self._clock() - started) * 1000)
        if failure is not None and claim is not None:
            delay = self._retry_delay(index, claim, failure)
            if delay is not None:
                attempt = FailedAttemptRow(
                    index=index,
                    number=attempts,
                    started_at=started_at,
                    duration_ms=duration_ms,
                    error=_failure_fields(failure),
                    turn_ms=outcome.turn_ms,
                    pause_ms=int(delay * 1000),
                )
                self._recorder.add_retry(attempt)
                self._state.progress.postpone(index)
                self._state.schedule_retry(index, delay)
                return
        status = NodeStatus.COMPLETED if failure is None else NodeStatus.FAILED
        self._counts.append((self._plan.nodes[index].type.type, status))
        is_output = index == self._plan.response_output
        self._recorder.add_settled(
            index,
            status,
            attempts=attempts,
            started_at=started_at,
            duration_ms=duration_ms,
            failure=failure,
            outputs=None if is_output or failure else outcome.offloaded_name or outcome.packed,
            charge=None if failure is not None else self._charge(index, outcome),
            turn_ms=outcome.turn_ms,
        )
        if claim is not None or failure is not None:
            self._recorder.must_record = True
        self._progress(index, status, outcome)

    def _progress(self, index: int, status: NodeStatus, outcome: AttemptOutcome) -> None:
        """Go on in the plan from a settled node, or fail the execution with it."""
        plan, failure = self._plan, outcome.failure
        if failure is not None and plan.nodes[index].policy.on_error == "fail":
            self.failed = (index, failure)
            return
        if failure is None and index in (plan.response_output, plan.result_node):
            self.result = outcome.packed
        progress = self._state.progress
        progress.settle(index, status, outcome.outputs if failure is None else None)
        for skipped in progress.take_skipped():
            self._recorder.add_skipped(skipped)

    def _retry_delay(self, index: int, claim: NodeClaim, failure: NodeFailed) -> float | None:
        """Return the seconds before the next attempt, None for no further attempt."""
        if not failure.retryable:
            return None
        policy = self._plan.nodes[index].policy
        return retry.delay_seconds(
            attempt=claim.attempts - claim.lost,
            attempts=policy.attempts,
            backoff=policy.backoff,
            retry_after=failure.retry_after,
            jitter=retry.draw_jitter(),
        )

    def fail_unpaid(self, verdict: Verdict, unpaid: Unpaid) -> None:
        """Fail the execution at the node that could not be paid for, by one of `MONEY_CODES`."""
        if verdict is Verdict.OVER:
            failure = NodeFailed("MAX_CREDITS_EXCEEDED", "The run would pass 'max_credits' here")
        else:
            missing = f"This needs {unpaid.missing} credits more and the balance is"
            failure = NodeFailed("INSUFFICIENT_CREDITS", f"{missing} {unpaid.balance}")
        self.failed = (unpaid.index, failure)

    def reserve(self, claim: Sequence[int]) -> Mapping[int, int]:
        """Return the most credits that each charged node of a claim costs with its inputs."""
        if not self._plan.models:
            return NO_RESERVATIONS
        return {index: self._reserve(index) for index in claim if index in self._plan.models}

    def _reserve(self, index: int) -> int:
        name = self._plan.models[index]
        model = find_model(name)
        if model is not None:
            self._models[index] = model
        if name in self._trial_models:
            return 0
        progress = self._state.progress
        inputs = progress.inputs(index, progress.delivered(index))
        return node_credits(self._plan, index, inputs, self._markup)

    @property
    def _markup(self) -> Decimal:
        return Decimal(self._claimed.record.get("markup", b"1").decode())

    @property
    def _trial_models(self) -> Sequence[str]:
        return self._claimed.record.get("tried", b"").decode().split(",")

    def _charge(self, index: int, outcome: AttemptOutcome) -> Charge | None:
        """Return the charge for a node's usage; None when the node is not charged."""
        name = self._plan.models.get(index)
        model = None if name is None else self._models.get(index) or find_model(name)
        if name is None or model is None:
            return None
        cost = cost_micro_usd(model.pricing, outcome.usage) + outcome.fallback_micro_usd
        if name in self._trial_models:
            return Charge(0, cost, name)
        return Charge(credits_for(cost, self._markup), cost)
