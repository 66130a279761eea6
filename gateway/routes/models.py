"""Models: what the registry has and costs the caller; admins save manifests of their own."""

import logging
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from engine.capabilities import Role
from engine.errors import InvalidBody, VersionConflict
from engine.models.availability import WorkerVariables
from engine.models.manifest import ManifestError, Model
from engine.models.registry import all_models, pairs_on_disk
from engine.models.saved import parse_saved
from engine.store import Principal, SavedModel
from gateway.endpoints import Resource, admins_only, requires, takes
from gateway.query import MAX_VERSION, Query
from gateway.request_bodies import read_object
from gateway.services import GatewayRequest
from gateway.versions import entity_tag, wanted_versions
from gateway.wire import (
    json_response,
    model_shape,
    saved_model_shape,
    saved_version_shape,
)

logger = logging.getLogger(__name__)

MAX_PROBLEMS = 100

MAX_TRIES = 5


@requires("workflow:read", "model:run")
async def list_models(request: GatewayRequest, principal: Principal) -> Response:
    """All models, with their prices after the caller's markup."""
    markup = principal.terms.markup
    workers = await _variables(request, principal)
    return json_response([model_shape(model, markup, workers) for model in all_models()])


@admins_only
async def create_model(request: GatewayRequest, principal: Principal) -> Response:
    """Save the manifest of a new model, or of one that is to count before one on disk."""
    text, model = await _read_manifest(request)
    workers = await _variables(request, principal)
    saved = await request.state["services"].store.models.create(
        model.internal_name, text, principal.account.id
    )
    _audit("model saved", principal, saved.internal_name, saved.version)
    return _answer(saved, model, principal, workers, 201)


@takes("version")
@admins_only
async def get_model(request: GatewayRequest, principal: Principal) -> Response:
    """The manifest of a saved model, the newest or a former one."""
    version = Query(request.scope).optional_integer("version", low=1, high=MAX_VERSION)
    name: str = request.path_params["internal_name"]
    saved = await request.state["services"].store.models.get(name, version)
    shape = saved_model_shape(saved) | {"manifest": saved.text}
    return json_response(shape, headers=entity_tag(saved.version))


@admins_only
async def list_versions(request: GatewayRequest, principal: Principal) -> Response:
    """The versions of a saved model that can be read, newest first."""
    name: str = request.path_params["internal_name"]
    saved = await request.state["services"].store.models.versions(name)
    return json_response([saved_version_shape(each) for each in saved])


@admins_only
async def update_model(request: GatewayRequest, principal: Principal) -> Response:
    """Save the next version of a saved model."""
    name: str = request.path_params["internal_name"]
    models = request.state["services"].store.models
    current = await models.get(name)
    text, model = await _read_manifest(request, name)
    workers = await _variables(request, principal)
    wanted = wanted_versions(request.headers)
    for _ in range(MAX_TRIES):
        if wanted is not None and current.version not in wanted:
            break
        expected = None if wanted is None else current.version
        try:
            saved = await models.update(name, text, principal.account.id, expected)
        except VersionConflict:
            current = await models.get(name)
            continue
        _audit("model saved", principal, name, saved.version)
        return _answer(saved, model, principal, workers)
    raise VersionConflict(current.version, "model")


@admins_only
async def delete_model(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a saved model; one on disk of that name counts again."""
    name: str = request.path_params["internal_name"]
    version = await request.state["services"].store.models.delete(name)
    _audit("model deleted", principal, name, version)
    return json_response({"success": True})


async def _read_manifest(request: GatewayRequest, name: str | None = None) -> tuple[str, Model]:
    body = await read_object(request)
    text = body.get("manifest")
    if not isinstance(text, str):
        raise InvalidBody("'manifest' must be a text", field="manifest")
    try:
        return text, parse_saved(text, pairs_on_disk(), name)
    except ManifestError as error:
        raise _invalid(error) from None


def _invalid(error: ManifestError) -> InvalidBody:
    problems: list[dict[str, Any]] = [
        ({} if fault.line is None else {"line": fault.line}) | {"reason": fault.reason}
        for fault in error.faults
    ]
    count = len(problems)
    noun = "problem" if count == 1 else "problems"
    return InvalidBody(
        f"The manifest has {count} {noun}", field="manifest", problems=problems[:MAX_PROBLEMS]
    )


def _audit(event: str, principal: Principal, name: str, version: int) -> None:
    account = principal.account
    extra = {"account_id": account.id, "role": account.role.value, "model": name}
    logger.info(event, extra={**extra, "version": version})


async def _variables(request: GatewayRequest, principal: Principal) -> WorkerVariables:
    services = request.state["services"]
    is_told = services.settings.tell_setup or principal.account.role is Role.ADMIN
    return await services.variables.read(names_told=is_told)


def _answer(
    saved: SavedModel,
    model: Model,
    principal: Principal,
    workers: WorkerVariables,
    status: int = 200,
) -> Response:
    shape = model_shape(model, principal.terms.markup, workers) | saved_model_shape(saved)
    return json_response(shape, status, entity_tag(saved.version))


routes = [
    Route("/api/models", Resource(GET=list_models, POST=create_model)),
    Route(
        "/api/models/{internal_name}",
        Resource(GET=get_model, PUT=update_model, DELETE=delete_model),
    ),
    Route("/api/models/{internal_name}/versions", Resource(GET=list_versions)),
]
