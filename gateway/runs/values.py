"""Values of executions and nodes as callers see them: large ones by a link."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, UnsetType

from engine.executions.node_waits import Decision
from engine.nodes.agents.steps import AgentStep, StepKind, StepStatus
from engine.services.media import MediaService
from engine.services.runs.node_values import NodeValues
from gateway.http.responses import encode_json
from gateway.http.types import OBJECT, Credits, Moment, Nested, Uuid, View, described_as, doc
from gateway.openapi.examples import EXECUTION_ID, STARTED
from gateway.runs.node_views import NodeFailure
from gateway.runs.types import LinkedAsset, by_link
from gateway.waits.views import AnswererView

MAX_VALUE_BYTES = 65_536
"""Size in JSON above which a value is shown by a link."""


class NodeAttemptView(Nested):
    """One attempt at a node."""

    number: int
    started_at: Moment
    ended_at: Annotated[Moment | None, doc("Null: it goes on.")]
    queued_ms: Annotated[
        int,
        doc(
            "Milliseconds from the moment at which the node could run to `startedAt`, the begin of"
            " its work: waits for a worker, a slot, memory, or a turn by the limits of a provider."
        ),
    ]
    worker: Annotated[
        str | None,
        doc("Id of the worker process; null: the run was walked as a whole before its claim."),
    ]
    error: Annotated[OBJECT | None, described_as(NodeFailure | None)]


class StepApprovalView(Nested):
    """An approval before the call of a tool."""

    decision: Annotated[Decision | None, doc("Null: nobody has answered yet.")]
    note: str | None
    by: Annotated[OBJECT | None, described_as(AnswererView | None)]
    at: Moment | None
    execution_id: Annotated[
        Uuid | None, doc("The child that asks, in its node `step`; null before it begins.")
    ]


class AgentStepView(Nested, kw_only=True):
    """A step of an agent: a call of its model, or of a tool."""

    number: Annotated[int, doc("From 1, in the order in which the agent planned them.")]
    kind: StepKind
    name: Annotated[str, doc("The model, or the tool as the model knows it.")]
    status: Annotated[
        StepStatus, doc("`waiting`: a person has been asked, or the step has not begun.")
    ]
    input: Annotated[
        Any,
        doc(
            "Of a model: the messages that are new since its last call. Of a tool: its arguments."
            " A value over 64 KiB as in `inputs`. Null: it was not recorded."
        ),
    ]
    output: Annotated[
        Any, doc("Of a model: `{text, calls}`. Of a tool: its result. Null before the end.")
    ]
    error: Annotated[
        OBJECT | None,
        described_as(NodeFailure | None),
        doc("The reason of a failure or of a refusal; the model gets it as the tool's answer."),
    ]
    credits_cost: Credits
    duration_ms: int | None
    child_execution_id: Annotated[
        Uuid | None, doc("The execution of the step; null: it has none, or has not begun.")
    ]
    approval: Annotated[
        OBJECT | UnsetType,
        described_as(StepApprovalView | UnsetType),
        doc("The approval that the call needs; absent where it needs none."),
    ] = UNSET

    @classmethod
    def of_step(cls, step: AgentStep, execution_id: str, node_id: str) -> Self:
        """Build the view of a step; large values are links."""

        def shown(value: Any, part: str) -> Any:
            query = {"node": node_id, "step": step.number, "part": part}
            return _by_size(value, execution_id, query)

        return cls(
            number=step.number,
            kind=step.kind,
            name=step.name,
            status=step.status,
            input=shown(step.input, "input"),
            output=shown(step.output, "output"),
            error=None if step.error is None else dict(step.error),
            credits_cost=step.credits_cost,
            duration_ms=step.duration_ms,
            child_execution_id=step.child_execution_id or None,
            approval=_approval_of(step),
        )


def _approval_of(step: AgentStep) -> dict[str, Any] | UnsetType:
    found = step.approval
    if found is None:
        return UNSET
    return {
        "decision": found.decision,
        "note": found.note,
        "by": found.by,
        "at": found.at,
        "executionId": found.child_execution_id or None,
    }


class NodeValuesView(View, kw_only=True):
    """Inputs, outputs and attempts of one node of an execution."""

    inputs: Annotated[
        OBJECT | None,
        doc(
            "Delivered values by input socket. One over 64 KiB is `{truncated: true, bytes, url}`,"
            " and `url` answers with the value. Null: they were not recorded."
        ),
    ]
    outputs: Annotated[
        OBJECT | None,
        doc("Values by output socket, as `inputs`. Null: it has not completed, or as `inputs`."),
    ]
    recorded: Annotated[
        bool, doc("False: the workflow's `recordValues` has removed the values at the end.")
    ]
    attempts: list[NodeAttemptView]
    waited_ms: Annotated[int, doc("Milliseconds of the pauses between attempts, all together.")]
    credits_cost: Credits
    steps: Annotated[
        list[AgentStepView] | UnsetType,
        doc("The calls of models and tools of an agent so far; absent of other nodes."),
    ] = UNSET
    assets: Annotated[
        list[LinkedAsset] | UnsetType,
        doc("The assets that links in the values lead to; absent without any."),
    ] = UNSET

    @classmethod
    def of_node(
        cls, values: NodeValues, execution_id: str, node_id: str, media_service: MediaService
    ) -> Self:
        """Build the view of a node's values."""
        links = media_service.linked_assets([values.inputs, values.outputs])
        steps = values.steps
        return cls(
            inputs=_bounded(values.inputs, execution_id, node_id, "input"),
            outputs=_bounded(values.outputs, execution_id, node_id, "output"),
            recorded=values.is_recorded,
            attempts=[NodeAttemptView.from_record(each) for each in values.attempts.attempts],
            waited_ms=values.attempts.waited_ms,
            credits_cost=values.node.credits_cost,
            steps=UNSET
            if steps is None
            else [AgentStepView.of_step(each, execution_id, node_id) for each in steps],
            assets=[LinkedAsset(each, url) for url, each in links.items()] or UNSET,
        )


def _bounded(
    values: Mapping[str, Any] | None, execution_id: str, node_id: str, side: str
) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        socket: _by_size(value, execution_id, {"node": node_id, side: socket})
        for socket, value in values.items()
    }


def _by_size(value: Any, execution_id: str, query: Mapping[str, Any]) -> Any:
    """Return a value, or a link with this query to a large one."""
    encoded = encode_json(value)
    if len(encoded) <= MAX_VALUE_BYTES:
        return msgspec.Raw(encoded)
    path = f"/api/executions/{execution_id}/values?{urlencode(query, quote_via=quote)}"
    return by_link(len(encoded), path)


CHILD_ID = "5f0c1d8e-3a7b-4e62-9c41-7d2b8a6f0e13"
ATTEMPTS: Sequence[NodeAttemptView] = (
    NodeAttemptView(
        number=1,
        started_at=STARTED,
        ended_at=STARTED,
        queued_ms=2,
        worker="worker-4711-3f2a1b",
        error={"code": "timeout", "message": "The call took longer than 30 seconds"},
    ),
    NodeAttemptView(
        number=2,
        started_at=STARTED,
        ended_at=STARTED,
        queued_ms=5,
        worker="worker-4711-3f2a1b",
        error=None,
    ),
)
NodeValuesView.examples = (
    NodeValuesView(
        inputs={"prompt-in": "Ada"},
        outputs={
            "text-out": by_link(
                70_215, f"/api/executions/{EXECUTION_ID}/values?node=text&output=text-out"
            )
        },
        recorded=True,
        attempts=[*ATTEMPTS],
        waited_ms=500,
        credits_cost=3,
    ),
    NodeValuesView(
        inputs={"prompt-in": "Where is order 1042?"},
        outputs={"text-out": "It arrives on Friday."},
        recorded=True,
        attempts=[],
        waited_ms=0,
        credits_cost=3,
        steps=[
            AgentStepView(
                number=1,
                kind=StepKind.MODEL,
                name="gpt-mini",
                status=StepStatus.COMPLETED,
                input=[{"role": "user", "text": "Where is order 1042?"}],
                output={
                    "text": "",
                    "calls": [{"id": "c1", "name": "find-order", "arguments": {"order": "1042"}}],
                },
                error=None,
                credits_cost=1,
                duration_ms=820,
                child_execution_id=CHILD_ID,
            ),
            AgentStepView(
                number=2,
                kind=StepKind.TOOL,
                name="find-order",
                status=StepStatus.COMPLETED,
                input={"order": "1042"},
                output={"state": "on its way", "arrives": "Friday"},
                error=None,
                credits_cost=0,
                duration_ms=35,
                child_execution_id=CHILD_ID,
            ),
        ],
    ),
)
