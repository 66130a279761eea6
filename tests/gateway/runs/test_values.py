"""Views of nodes' values: steps of agents, and large values by links."""

from typing import Any

import msgspec

from engine.nodes.agents.steps import AgentStep, StepApproval, StepKind, StepStatus
from gateway.runs.values import MAX_VALUE_BYTES, AgentStepView

CHILD = "5f0c1d8e-3a7b-4e62-9c41-7d2b8a6f0e13"


def shown(step: AgentStep) -> dict[str, Any]:
    view = AgentStepView.of_step(step, "e1", "a b")
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(view))
    return found


def test_a_step_has_its_values_its_child_and_no_approval() -> None:
    step = AgentStep(
        number=2,
        kind=StepKind.TOOL,
        name="find",
        input={"order": "1042"},
        output={"found": True},
        status=StepStatus.COMPLETED,
        credits_cost=3,
        duration_ms=35,
        child_execution_id=CHILD,
    )

    assert shown(step) == {
        "number": 2,
        "kind": "tool",
        "name": "find",
        "status": "completed",
        "input": {"order": "1042"},
        "output": {"found": True},
        "error": None,
        "creditsCost": 3,
        "durationMs": 35,
        "childExecutionId": CHILD,
    }


def test_a_step_that_waits_for_a_person_names_the_execution_that_asks() -> None:
    step = AgentStep(
        number=1,
        kind=StepKind.TOOL,
        name="refund",
        approval=StepApproval(child_execution_id=CHILD),
    )

    found = shown(step)

    assert (found["childExecutionId"], found["durationMs"], found["output"]) == (None, None, None)
    assert found["approval"] == {
        "decision": None,
        "note": None,
        "by": None,
        "at": None,
        "executionId": CHILD,
    }


def test_a_large_value_of_a_step_is_a_link_to_it() -> None:
    text = "x" * MAX_VALUE_BYTES
    step = AgentStep(number=7, kind=StepKind.MODEL, name="m", input=[], output={"text": text})

    found = shown(step)

    assert found["input"] == []
    assert found["output"] == {
        "truncated": True,
        "bytes": len(text) + len('{"text":""}'),
        "url": "/api/executions/e1/values?node=a%20b&step=7&part=output",
    }
