"""Values of executions and nodes as callers see them: large ones by a link."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, UnsetType

from engine.services.media import MediaService
from engine.services.runs.node_values import NodeValues
from gateway.http.responses import encode_json
from gateway.http.types import OBJECT, Credits, Moment, Nested, View, described_as, doc
from gateway.openapi.examples import EXECUTION_ID, STARTED
from gateway.runs.node_views import NodeFailure
from gateway.runs.types import LinkedAsset, by_link

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
        return cls(
            inputs=_bounded(values.inputs, execution_id, node_id, "input"),
            outputs=_bounded(values.outputs, execution_id, node_id, "output"),
            recorded=values.is_recorded,
            attempts=[NodeAttemptView.from_record(each) for each in values.attempts.attempts],
            waited_ms=values.attempts.waited_ms,
            credits_cost=values.node.credits_cost,
            assets=[LinkedAsset(each, url) for url, each in links.items()] or UNSET,
        )


def _bounded(
    values: Mapping[str, Any] | None, execution_id: str, node_id: str, side: str
) -> dict[str, Any] | None:
    if values is None:
        return None
    shown: dict[str, Any] = {}
    for socket, value in values.items():
        encoded = encode_json(value)
        if len(encoded) <= MAX_VALUE_BYTES:
            shown[socket] = msgspec.Raw(encoded)
        else:
            query = urlencode({"node": node_id, side: socket}, quote_via=quote)
            shown[socket] = by_link(len(encoded), f"/api/executions/{execution_id}/values?{query}")
    return shown


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
)
