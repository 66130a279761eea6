"""Verdicts on tests that have run, each computed and recorded once."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, to_builtins

from engine.errors import NotFound, ResultGone, ResultUnreadable, Unavailable
from engine.executions.batches import ItemStatus
from engine.executions.execution import Execution
from engine.executions.statuses import CodedStatus
from engine.ids.executions import item_execution_id
from engine.services.expressions import Expressions
from engine.services.runs.node_values import OutputsTooLarge
from engine.services.workflow_tests import listed_tests as listed
from engine.services.workflow_tests.expectations import SeenExpectation, see_expectations
from engine.services.workflow_tests.listed_tests import ListedOrder, read_test
from engine.services.workflow_tests.outcomes import names_nodes, read_outcome
from engine.services.workflow_tests.seen_values import cut
from engine.store import Batch, Store
from engine.store.batches.run_lists import NO_VERDICT, ItemVerdict
from engine.store.workflows.workflow_test_records import WorkflowTest

RECORDED_AT_ONCE = 5
"""Verdicts that are computed before they are recorded."""
OVER = (ItemStatus.COMPLETED.code, ItemStatus.FAILED.code, ItemStatus.CANCELLED.code)


class VerdictOnTest(CodedStatus):
    """Verdict on a test."""

    PASSED = "passed", "p"
    FAILED = "failed", "f"
    """An expectation is false."""
    ERROR = "error", "e"
    """The run failed or could not begin, or an expectation could not be evaluated."""


CODES: Mapping[str, VerdictOnTest] = {each.code: each for each in VerdictOnTest}
"""Verdicts by code."""
CANCELLED = {"code": "EXECUTION_CANCELLED", "message": "The test run was cancelled"}
GONE = {"code": "INTERNAL_ERROR", "message": "The test, or its run, is not there any more"}
TOO_LARGE = {
    "code": "expression_error",
    "message": "The outputs of its nodes are too large for expressions",
}


class JudgedRun(Struct, frozen=True, kw_only=True):
    """Run of the judge of a test."""

    execution_id: str
    result: Any = None
    """Cut where it is long."""


class WorkflowTestVerdict(Struct, frozen=True, kw_only=True):
    """Verdict on a test, with the values that its expectations saw."""

    verdict: str
    expectations: Sequence[SeenExpectation] = ()
    """None were evaluated where the run did not complete."""
    error: Mapping[str, Any] | None = None
    """Reason for the verdict `error`, with `code` and `message`."""
    judge: JudgedRun | None = None
    credits_cost: int = 0
    """Of the test and of its judge."""
    ms: int | None = None

    @property
    def code(self) -> str:
        """Code that the list of runs counts."""
        return next(each.code for each in VerdictOnTest if each == self.verdict)


def _error(reason: Mapping[str, Any], **members: Any) -> WorkflowTestVerdict:
    return WorkflowTestVerdict(verdict=VerdictOnTest.ERROR.value, error=reason, **members)


class Verdicts:
    """Computes the verdicts of test runs."""

    def __init__(self, store: Store, expressions: Expressions) -> None:
        self._store = store
        self._expressions = expressions

    async def complete(self, batch: Batch, most_seconds: float = math.inf) -> str:
        """Record the verdicts on all tests that are over and have none; return their codes.

        A test with a judge is over with it. After `most_seconds` the others are left to a later
        call. Raises StorageFailed or Unavailable.
        """
        ids, began = (batch.account_id, batch.id), time.monotonic()
        lists = self._store.lists
        order = ListedOrder.of(await lists.facts(*ids, listed.NAMES, listed.JUDGED))
        codes = await lists.verdict_codes(*ids) or NO_VERDICT * batch.size
        while time.monotonic() - began < most_seconds:
            due = [
                index
                for index in range(len(order.names))
                if codes[index] == NO_VERDICT and _is_over(batch, order, index)
            ]
            if not due:
                break
            found = {
                index: await self._judge_safely(batch, order, index)
                for index in due[:RECORDED_AT_ONCE]
            }
            recorded = {i: ItemVerdict(each.code, to_builtins(each)) for i, each in found.items()}
            codes = await lists.record_verdicts(*ids, recorded)  # with those of other processes
            if not codes:
                raise FileNotFoundError(batch.id)
        return codes[: len(order.names)]

    async def _judge_safely(
        self, batch: Batch, order: ListedOrder, index: int
    ) -> WorkflowTestVerdict:
        """Return the verdict on a test; one that cannot be read any more is an error.

        Raises Unavailable or StorageFailed, after which another call may succeed.
        """
        try:
            return await self._judge(batch, order, index)
        except (FileNotFoundError, NotFound, ResultGone):
            return _error(GONE)
        except OutputsTooLarge:
            return _error(TOO_LARGE)
        except ResultUnreadable as error:
            raise Unavailable(error.message) from None

    async def _judge(self, batch: Batch, order: ListedOrder, index: int) -> WorkflowTestVerdict:
        if batch.states[index] == ItemStatus.CANCELLED.code:
            return _error(CANCELLED)
        ids, place = (batch.account_id, batch.id), order.judge_of(index)
        indexes = [index] if place is None else [index, place]
        errors = await self._store.batches.item_errors(*ids, indexes)
        if index in errors:
            return _error(errors[index])
        execution = await self._execution(batch, index)
        spent = {"credits_cost": execution.credits_cost, "ms": execution.duration_ms}
        if execution.error is not None:
            return _error(_shown(execution.error), **spent)
        test = (await read_test(self._store, *ids, index)).test
        if place is None:
            return await self._verdict(batch.account_id, test, execution)
        if batch.states[place] == ItemStatus.CANCELLED.code:
            return _error(CANCELLED, **spent)
        if place in errors:
            return _error(_of_judge(errors[place]), **spent)
        judge = await self._execution(batch, place)
        spent["credits_cost"] = execution.credits_cost + judge.credits_cost
        if judge.error is not None:
            judged = JudgedRun(execution_id=judge.id)
            return _error(_of_judge(_shown(judge.error)), judge=judged, **spent)
        return await self._verdict(batch.account_id, test, execution, judge)

    async def _execution(self, batch: Batch, index: int) -> Execution:
        execution_id = item_execution_id(batch.id, index)
        return await self._store.executions.get(batch.account_id, execution_id)

    async def _verdict(
        self,
        account_id: str,
        test: WorkflowTest,
        execution: Execution,
        judge: Execution | None = None,
    ) -> WorkflowTestVerdict:
        """Return the verdict of the expectations."""
        with_nodes = names_nodes(test.expect)
        values = await read_outcome(self._store, execution, with_nodes=with_nodes)
        if judge is not None:
            values["judge"] = judge.result
        seen = await see_expectations(self._expressions, account_id, test.expect, values)
        problem = next((each.reason for each in seen if each.reason), None)
        verdict = VerdictOnTest.PASSED if all(each.met for each in seen) else VerdictOnTest.FAILED
        return WorkflowTestVerdict(
            verdict=(VerdictOnTest.ERROR if problem else verdict).value,
            expectations=seen,
            error={"code": "expression_error", "message": problem} if problem else None,
            judge=None if judge is None else _judged(judge),
            credits_cost=execution.credits_cost + (judge.credits_cost if judge else 0),
            ms=execution.duration_ms,
        )


def _judged(judge: Execution) -> JudgedRun:
    return JudgedRun(execution_id=judge.id, result=cut(judge.result))


def _is_over(batch: Batch, order: ListedOrder, index: int) -> bool:
    place = order.judge_of(index)
    return batch.states[index] in OVER and (place is None or batch.states[place] in OVER)


def _shown(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the error of an execution with `code` and `message` first."""
    return {"code": error.get("code"), "message": error.get("error"), **error}


def _of_judge(error: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**error, "message": f"The judge: {error.get('message')}"}
