"""Settlement of nodes: the outcome of an attempt becomes a retry, or the end of its node."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine import metrics
from engine.errors.nodes import NodeFailed
from engine.executions import retry
from engine.executions.execution import NodeStatus
from engine.executions.rows import FailedAttemptRow
from engine.graph.plan import Plan
from engine.store.executions.claims import ClaimedExecution, NodeClaim
from engine.store.executions.record_fields import pack_name, parse_rows
from engine.store.executions.steps import Charge
from engine.store.redis.record_packing import pack
from workers.nodes.executor import AttemptOutcome, describe
from workers.walk.charging import Charging
from workers.walk.recorder import Recorder, shown
from workers.walk.state import WalkState

NO_RESULT = pack(None)


class NodeSettlement:
    """Settles the nodes of one walk in its state and in the step that it records next."""

    __slots__ = (
        *("_charging", "_claimed", "_clock", "_counts", "_plan", "_recorder", "_state"),
        *("_walk_started", "failed", "result"),
    )

    def __init__(
        self,
        claimed: ClaimedExecution,
        plan: Plan,
        state: WalkState,
        recorder: Recorder,
        charging: Charging,
    ) -> None:
        self._claimed = claimed
        self._plan = plan
        self._state = state
        self._recorder = recorder
        self._charging = charging
        self._clock = asyncio.get_running_loop().time
        self._walk_started = self._clock()
        self._counts: list[tuple[str, NodeStatus]] = []
        self.failed: tuple[int, NodeFailed] | None = None
        """The node that fails the execution, and its failure."""
        self.result = NO_RESULT
        """The packed result of the execution."""

    def count_nodes(self) -> None:
        """Add the settled nodes to the metrics."""
        for (node_type, status), count in Counter(self._counts).items():
            metrics.NODES_ENDED.labels(node_type, status.value).inc(count)

    @property
    def error(self) -> dict[str, Any] | None:
        """Error of the execution, None unless a node has failed it."""
        if self.failed is None:
            return None
        index, failure = self.failed
        return describe(self._plan.nodes[index].name, failure)

    def take_result(self, record: Mapping[str, bytes]) -> None:
        """Take the result from the record where the node that gives it has settled already."""
        node = self._plan.result_node
        row = None if node is None else parse_rows(record).get(node)
        outputs = None if row is None else row.outputs
        if outputs is not None:
            self.result = outputs if isinstance(outputs, bytes) else pack_name(outputs)

    def settle(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        """Settle a node whose attempt began at `started`, or schedule its retry."""
        node = self._plan.nodes[index]
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
                    error=shown(failure),
                    turn_ms=outcome.turn_ms,
                    pause_ms=int(delay * 1000),
                )
                self._recorder.add_retry(attempt)
                self._state.progress.postpone(index)
                self._state.schedule_retry(index, delay)
                return
        is_output = index == self._plan.response_output
        status = NodeStatus.COMPLETED if failure is None else NodeStatus.FAILED
        self._counts.append((node.type.type, status))
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
        if failure is not None and node.policy.on_error == "fail":
            self.failed = (index, failure)
            return
        if failure is None and (is_output or index == self._plan.result_node):
            self.result = outcome.packed
        self._state.progress.settle(
            index,
            status,
            outcome.outputs if failure is None else None,
        )
        for skipped in self._state.progress.take_skipped():
            self._recorder.add_skipped(skipped)

    def _charge(self, index: int, outcome: AttemptOutcome) -> Charge | None:
        if index not in self._plan.models:
            return None
        return self._charging.charge(index, outcome.usage, outcome.fallback_micro_usd)

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
