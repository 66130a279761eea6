"""Settlement of nodes: their retries, outputs and charges, and the progress of the walk."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs

from engine.billing.credits import node_credits
from engine.errors.nodes import NodeFailed
from engine.executions import retry
from engine.executions.rows import FailedAttemptRow
from engine.executions.statuses import NodeStatus
from engine.graph.failures import ends_run, fallback_of, has_error_out, outputs_after
from engine.graph.plan import Plan
from engine.models.manifest import Model
from engine.models.pricing import cost_micro_usd, credits_for
from engine.models.registry import find_model
from engine.store.executions.advance import Charge, Unpaid, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.record_fields import NodeClaim, pack_name, parse_rows
from engine.store.redis.record_packing import pack
from engine.telemetry import metrics
from workers.nodes.executor import AttemptOutcome, describe
from workers.walk.state import WalkState
from workers.walk.step import NO_RESERVATIONS, Recorder, failure_fields

NO_RESULT = pack(None)


class NodeSettlement:
    """Settles the nodes of one walk, in its state and with their charges in its next step.

    Prices are those of the terms on the execution's record.
    """

    __slots__ = (
        *("_claimed", "_clock", "_counts", "_models", "_plan", "_recorder", "_state"),
        *("_walk_started", "failed", "plain", "result"),
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
        self.plain: bytes | None = None
        """The packed result as the parent gets it; None: no parent waits for it."""

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
        if node is None or row is None:
            return
        outputs = row.outputs
        if outputs is not None:
            self.result = outputs if isinstance(outputs, bytes) else pack_name(outputs)
        elif row.error is not None:
            self.result = pack(fallback_of(self._plan.nodes[node]))

    def settle(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        """Settle a node whose attempt began at `started`, schedule its retry, or park it."""
        claim = self._state.claims.get(index)
        if outcome.parked_until is not None:
            self._recorder.add_parked(index, outcome.parked_until)
            self._state.park(index, outcome.parked_until, self._time_of(self._clock()))
            return
        attempts = 1 if claim is None else claim.attempts
        failure = outcome.failure
        started_at, duration_ms = self._times(started, outcome)
        if failure is not None and claim is not None:
            delay = self._retry_delay(index, claim, failure)
            if delay is not None:
                attempt = FailedAttemptRow(
                    index=index,
                    number=attempts,
                    started_at=started_at,
                    duration_ms=duration_ms,
                    error=failure_fields(failure),
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
        if failure is not None:
            outcome = self._add_failed_outputs(index, outcome, attempts)
        self._recorder.add_settled(
            index,
            status,
            attempts=attempts,
            started_at=started_at,
            duration_ms=duration_ms,
            failure=failure,
            outputs=None if is_output else outcome.offloaded_name or outcome.packed or None,
            charge=None if failure is not None else self._charge(index, outcome),
            turn_ms=outcome.turn_ms,
        )
        if claim is not None or failure is not None:
            self._recorder.must_record = True
        self._progress(index, status, outcome)

    def _add_failed_outputs(
        self, index: int, outcome: AttemptOutcome, attempts: int
    ) -> AttemptOutcome:
        """Return a failed outcome with the outputs with which the run goes on, if it does.

        Only those at `error-out` are packed for the record: fallback values follow from the plan.
        """
        node, failure = self._plan.nodes[index], outcome.failure
        if failure is None or ends_run(node, failure.code):
            return outcome
        error = {"code": failure.code, "message": failure.message}
        outputs = outputs_after(node, error, attempts)
        packed = pack(outputs) if has_error_out(node) else b""
        return structs.replace(outcome, outputs=outputs, packed=packed)

    def _times(self, started: float, outcome: AttemptOutcome) -> tuple[int, int]:
        """Return the begin of a node's work and its duration, in milliseconds."""
        now = self._clock()
        if outcome.began_at is None:
            return self._time_of(started), int((now - started) * 1000)
        return outcome.began_at, max(0, self._time_of(now) - outcome.began_at)

    def _time_of(self, clock: float) -> int:
        """Return a time of the event loop's clock in milliseconds of the store's clock."""
        return self._claimed.now + int((clock - self._walk_started) * 1000)

    def _progress(self, index: int, status: NodeStatus, outcome: AttemptOutcome) -> None:
        """Go on in the plan from a settled node, or fail the execution with it."""
        plan, failure = self._plan, outcome.failure
        if failure is not None and ends_run(plan.nodes[index], failure.code):
            self.failed = (index, failure)
            return
        if failure is None and index in (plan.response_output, plan.result_node):
            self.result, self.plain = outcome.packed, outcome.plain
        elif index == plan.result_node and outcome.outputs is not None:
            self.result = pack(outcome.outputs)
        progress = self._state.progress
        progress.settle(index, status, outcome.outputs)
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
        name = None if outcome.is_recorded else self._plan.models.get(index)
        model = None if name is None else self._models.get(index) or find_model(name)
        if name is None or model is None:
            return None
        cost = cost_micro_usd(model.pricing, outcome.usage) + outcome.fallback_micro_usd
        if name in self._trial_models:
            return Charge(0, cost, name)
        return Charge(credits_for(cost, self._markup), cost)
