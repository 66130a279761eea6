"""Models before and beside their use: checks and tries of manifests, and their text.

Only admins may do any of this.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from msgspec import field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.executions.execution import Execution, ExecutionOutcome
from engine.executions.statuses import ExecutionStatus
from engine.models.calls.shown_request import ShownRequest, shown_request
from engine.models.disclosure import disclosed_manifest
from engine.models.manifest import ManifestError, Model
from engine.models.registry import (
    ModelOrigin,
    find_model,
    find_origin,
    key_destinations_on_disk,
)
from engine.models.saved import parse_saved
from engine.services.runs.targets import RegisteredModel
from engine.services.workflows.later_models import check_model_run
from engine.store import Principal
from gateway.auth.endpoints import admins_only, operation
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import Answer, json_response
from gateway.http.types import OBJECT, Credits, Nested, Uuid, View, described_as, doc
from gateway.openapi.examples import EXECUTION_ID
from gateway.routes.models.views import (
    MANIFEST,
    MODEL,
    ManifestProblem,
    ModelRequest,
    ModelView,
    manifest_problems,
)
from gateway.runs.request import RunParameters
from gateway.runs.service import run
from gateway.runs.types import AcceptedView, RunRequest
from gateway.runs.waiter import PendingRunAnswer
from gateway.services import GatewayRequest

UNAVAILABLE = "PROVIDER_UNAVAILABLE"


class ManifestCheck(View):
    """State of a manifest that is not saved."""

    problems: Annotated[list[OBJECT], described_as(list[ManifestProblem])]
    model: Annotated[ModelView | None, doc("Row of the model, null where there are problems.")]


class ManifestSource(View):
    """The manifest of a model that counts now, and its origin."""

    internal_name: str
    origin: Annotated[
        ModelOrigin,
        doc("It ships with Headrace, is a file of the operator's folder, or was saved over HTTP."),
    ]
    version: Annotated[int | None, doc("Version of a saved one.")]
    manifest: Annotated[str, doc("TOML; values of headers that may hold keys are hidden.")]


class TryFailure(Nested):
    """Failure of the call of a provider."""

    code: str
    message: Annotated[str, doc("The provider's words, or the reason why it was not called.")]
    retryable: Annotated[bool, doc("Whether the same call may succeed later.")]


class ProviderRequestView(Nested):
    """The request to a provider, without keys."""

    method: str
    url: Annotated[str, doc("`${NAME:-URL}` where a variable may say the address.")]
    request_headers: Annotated[dict[str, str], doc("Values that may be keys are hidden.")] = field(
        name="headers"
    )
    body: Annotated[Any, doc("JSON; media stand as they were given. Null without a body.")]

    @classmethod
    def for_request(cls, request: ShownRequest) -> Self:
        """Build the view of a request."""
        return cls.from_record(request, request_headers=dict(request.headers))


class TryResult(View):
    """Outcome of one call of a model."""

    success: bool
    result: Annotated[Any, doc("As a run of the model answers; null after a failure.")]
    error: Annotated[OBJECT | None, described_as(TryFailure | None)]
    cost: Credits
    ms: Annotated[int, doc("Milliseconds that the server took.")]
    execution_id: Annotated[Uuid | None, doc("Null where no worker could call the model.")]
    request: Annotated[
        ProviderRequestView | None,
        doc("First request by the manifest's `[http]`; null for other protocols."),
    ] = None

    @classmethod
    def for_uncalled(cls, code: str, message: str) -> Self:
        """Build the outcome of a call that no worker could make."""
        error = {"code": code, "message": message, "retryable": False}
        return cls(success=False, result=None, error=error, cost=0, ms=0, execution_id=None)

    @classmethod
    def for_end(
        cls,
        execution: Execution | ExecutionOutcome,
        milliseconds: int,
        request: ShownRequest | None = None,
    ) -> Self:
        """Build the outcome of an execution of one model that has completed or failed."""
        error = execution.error
        return cls(
            success=error is None,
            result=execution.result,
            error=error and _failure(error),
            cost=execution.credits_cost,
            ms=milliseconds,
            execution_id=execution.id,
            request=None if request is None else ProviderRequestView.for_request(request),
        )


def _failure(error: Mapping[str, Any]) -> OBJECT:
    return {
        "code": error.get("nodeCode", error["code"]),
        "message": error.get("reason", error["message"]),
        "retryable": error.get("retryable", False),
    }


ManifestCheck.examples = (
    ManifestCheck(problems=[], model=ModelView(**MODEL)),
    ManifestCheck(
        problems=[{"line": 4, "path": "tier", "reason": "tier must be one of free, creator, pro"}],
        model=None,
    ),
)
ManifestSource.examples = (
    ManifestSource(
        internal_name="echo", origin=ModelOrigin.SHIPPED, version=None, manifest=MANIFEST
    ),
)
TryResult.examples = (
    TryResult(
        success=True,
        result={"text": "Hello"},
        error=None,
        cost=13,
        ms=31,
        execution_id=EXECUTION_ID,
    ),
    TryResult(
        success=False,
        result=None,
        error={
            "code": "PROVIDER_REJECTED",
            "message": "Incorrect API key provided",
            "retryable": False,
        },
        cost=0,
        ms=31,
        execution_id=EXECUTION_ID,
    ),
)


@operation(body=ModelRequest, answers={200: ManifestCheck})
@admins_only
async def check_model(request: GatewayRequest, principal: Principal) -> Response:
    """Check a manifest by the rules of a save, without saving it."""
    text = (await read_body(request, ModelRequest)).manifest
    try:
        model = parse_saved(text, key_destinations_on_disk())
    except ManifestError as error:
        return json_response(ManifestCheck(problems=manifest_problems(error), model=None))
    workers = await request.services.worker_variables.read(names_variables=True)
    shown = ModelView.for_caller(model, principal.terms.markup, workers)
    return json_response(ManifestCheck(problems=[], model=shown))


@operation(answers={200: ManifestSource}, errors=(errors.ModelNotFound,))
@admins_only
async def get_manifest(request: GatewayRequest, principal: Principal) -> Response:
    """The manifest of a model as it counts now, whatever its origin."""
    name: str = request.path_params["internal_name"]
    models = request.services.store.models
    await models.look()
    manifest, origin, version = disclosed_manifest(_find(name)), find_origin(name), None
    if origin is ModelOrigin.SAVED:
        saved = await models.get(name)
        manifest, version = saved.text, saved.version
    return json_response(
        ManifestSource(internal_name=name, origin=origin, version=version, manifest=manifest)
    )


@operation(
    body=RunRequest,
    answers={200: TryResult, 202: AcceptedView},
    errors=(
        errors.InvalidInputs,
        errors.InsufficientCredits,
        errors.ModelNotFound,
        errors.ExecutionCancelled,
    ),
)
@admins_only
async def try_model(request: GatewayRequest, principal: Principal) -> Answer:
    """Let a worker call a model once, and answer with its result or the provider's error.

    The call is a run of the model, by and at the cost of the caller's account.
    """
    inputs = (await read_body(request, RunRequest)).inputs
    model = _find(request.path_params["internal_name"])
    workers = await request.services.worker_variables.read(names_variables=True)
    reason = workers.unavailable_reason(model)
    if reason is not None:
        return json_response(TryResult.for_uncalled(UNAVAILABLE, reason))
    check_model_run(request.services.store.schema, model.internal_name, inputs)
    target = RegisteredModel(model.internal_name)
    # The run lets go of its inputs once it is accepted.
    sent = shown_request(model, inputs, is_demo=workers.is_demo(model))
    wait_seconds = request.services.settings.sync_timeout
    parameters = RunParameters(inputs=inputs, wait_seconds=wait_seconds)
    answer = await run(request, principal, target, parameters)
    if not isinstance(answer, PendingRunAnswer):
        return answer
    execution = await answer.wait()
    if execution is None:
        return json_response(AcceptedView.for_execution(answer.execution_id), 202)
    if execution.status is ExecutionStatus.CANCELLED:
        raise errors.ExecutionCancelled(execution.id)
    return json_response(TryResult.for_end(execution, answer.milliseconds, sent))


def _find(name: str) -> Model:
    model = find_model(name)
    if model is None:
        raise errors.ModelNotFound
    return model


routes = [
    # Another method is one of the model with the name "check".
    Route("/api/models/check", Resource(POST=check_model), methods=["POST"]),
    Route("/api/models/{internal_name}/try", Resource(POST=try_model)),
    Route("/api/models/{internal_name}/manifest", Resource(GET=get_manifest)),
]
