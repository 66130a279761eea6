"""Runs of flows, and the comparison of their ends with the predicted ones."""

from collections.abc import Mapping
from typing import Any

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from tests.support.factories import Runner
from tests.support.graphs.flow_oracle import Expected
from tests.support.graphs.flows import Flow


async def begin_flow(runner: Runner, flow: Flow, inputs: Mapping[str, Any], url: str) -> str:
    """Save a flow with the workflows that it calls, and begin a run; return its id."""
    slugs: dict[int, str] = {}
    for called in flow.called():
        slugs[id(called)] = await runner.save(called.graph(slugs, url))
    return await runner.begin(await runner.save(flow.graph(slugs, url)), inputs)


async def assert_fits(runner: Runner, execution: Execution, expected: Expected) -> None:
    """Compare the end of a run with the predicted one."""
    if expected.code is not None:
        assert execution.status is ExecutionStatus.FAILED, execution
        assert execution.error is not None
        assert execution.error["nodeCode"] == expected.code, execution.error
        return
    assert execution.status is ExecutionStatus.COMPLETED, (execution, expected)
    assert execution.result == expected.result
    names = await _names(runner, execution)
    assert {names[each.index]: each.status.value for each in execution.nodes} == expected.nodes
    if expected.children is not None:
        assert await _children(runner, execution.id) == (expected.children, 0)


async def _names(runner: Runner, execution: Execution) -> list[str]:
    _, plan = await runner.store.workflows.plan(execution.workflow_slug or "")
    assert plan is not None
    return [name.id for name in plan.names]


async def _children(runner: Runner, execution_id: str) -> tuple[int, int]:
    """Return all children below a root, and those that run."""
    record = await runner.store.walks.records(runner.account.id, execution_id)
    found = [int(record.get(name, b"0")) for name in ("children", "children_running")]
    return found[0], found[1]
