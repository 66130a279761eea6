"""Runs of drafts: of a whole draft, or of one node and the nodes that it needs."""

from typing import Annotated, Any

from msgspec import field
from starlette.routing import Route

from engine import errors
from engine.ids.slugs import check_slug
from engine.services.runs.draft_runs import DraftPart, DraftRun
from engine.store import Principal
from gateway.auth.endpoints import operation, requires
from gateway.auth.resource import Resource
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.request_bodies import read_body
from gateway.http.responses import Answer
from gateway.http.types import OBJECT, doc, refused
from gateway.runs.errors import BODY_ERRORS
from gateway.runs.query import IDEMPOTENCY_KEY, PREFER, RunQuery
from gateway.runs.request import read_run
from gateway.runs.service import run
from gateway.runs.streams import EventView
from gateway.runs.types import AcceptedView, RunRequest, RunResult
from gateway.services import GatewayRequest

NODE_RULE = "must be the id of a node"


class DraftRunRequest(RunRequest):
    """Inputs of a run of a draft, the part to run, and outputs to begin with."""

    only: Annotated[
        str | None,
        doc("Run this node and those it needs; its outputs by socket are the result."),
        refused(NODE_RULE),
    ] = None
    source: Annotated[
        str | None,
        doc("An earlier execution; nodes that are unchanged since give its outputs."),
        refused("must be the id of an execution"),
    ] = field(default=None, name="from")
    rerun: Annotated[
        str | None,
        doc("With `from`: run this node and all that follow from it in any case."),
        refused(NODE_RULE),
    ] = None
    pinned: Annotated[
        OBJECT,
        doc("By node and output socket: values that the node gives without running."),
        refused("must be an object of objects: values by node and output socket"),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shape of `pinned`."""
        if not all(isinstance(values, dict) for values in self.pinned.values()):
            message = "'pinned' must be an object of objects: values by node and output socket"
            raise errors.InvalidBody(message, field="pinned")


DraftRunRequest.examples = (
    DraftRunRequest({"name": "Ada"}),
    DraftRunRequest({"name": "Ada"}, only="text", pinned={"text": {"text-out": "Hello"}}),
)


@operation(
    query=RunQuery,
    headers=(PREFER, IDEMPOTENCY_KEY),
    body=DraftRunRequest,
    answers={200: (RunResult, EventView), 202: AcceptedView},
    errors=(
        *(*BODY_ERRORS, errors.WorkflowNotFound, errors.NotOwner, errors.DraftNotFound),
        errors.WorkflowNotRunnable,
    ),
)
@requires("workflow:write", also="workflow:run", named="slug", bucket=WORKFLOW_RUNS)
async def run_draft(request: GatewayRequest, principal: Principal) -> Answer:
    """Run the draft, or one node with the nodes that it needs, and answer as a run does."""
    slug = check_slug(request.path_params["slug"])
    body = await read_body(request, DraftRunRequest)
    pinned: dict[str, dict[str, Any]] = body.pinned
    target = DraftRun(
        store=request.services.store,
        media_service=request.services.media_service,
        checker=request.services.checker,
        slug=slug,
        part=DraftPart(only=body.only, former_id=body.source, rerun=body.rerun, pinned=pinned),
    )
    query = RunQuery.parse(request.scope)
    parameters = await read_run(request, principal, query, kind=DraftRunRequest)
    return await run(request, principal, target, parameters)


routes = [Route("/api/workflows/{slug}/draft/run", Resource(POST=run_draft))]
