"""Models before and beside their use: checks and tries of manifests, and their text.

Only admins may do any of this.
"""

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.executions.execution import ExecutionStatus
from engine.models.calls.shown_request import shown_request
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
from engine.store import Principal
from gateway.auth.endpoints import admins_only, operation
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import Answer, json_response
from gateway.routes.models.views import (
    ManifestCheck,
    ManifestSource,
    ModelRequest,
    TryResult,
    manifest_problems,
)
from gateway.routes.shared_types import ModelView
from gateway.runs.request import RunParameters
from gateway.runs.service import run
from gateway.runs.types import AcceptedView, RunRequest
from gateway.runs.waiter import PendingRunAnswer
from gateway.services import GatewayRequest

UNAVAILABLE = "PROVIDER_UNAVAILABLE"


@operation(body=ModelRequest, answers={200: ManifestCheck})
@admins_only
async def check_model(request: GatewayRequest, principal: Principal) -> Response:
    """Check a manifest by the rules of a save, without saving it."""
    text = (await read_body(request, ModelRequest)).manifest
    try:
        model = parse_saved(text, key_destinations_on_disk())
    except ManifestError as error:
        return json_response(ManifestCheck(problems=manifest_problems(error), model=None))
    workers = await request.services.worker_variables.read(names_told=True)
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
    workers = await request.services.worker_variables.read(names_told=True)
    reason = workers.unavailable_reason(model)
    if reason is not None:
        return json_response(TryResult.for_uncalled(UNAVAILABLE, reason))
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
