"""Models: registry and prices for the caller; admins save manifests."""

import logging
from typing import Annotated, Any

from msgspec import structs
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.capabilities import Role
from engine.models.availability import WorkerVariables
from engine.models.manifest import ManifestError, Model
from engine.models.registry import all_models, key_destinations_on_disk
from engine.models.saved import parse_saved
from engine.store import Principal, SavedModel
from engine.values.plain import moment
from gateway.auth.endpoints import admins_only, operation, requires
from gateway.auth.resource import Resource
from gateway.http.entity_tags import IF_MATCH, entity_tag, wanted_versions
from gateway.http.query import QueryParameters, Version
from gateway.http.request_bodies import read_body
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import Content, Moment, Nested, View, doc
from gateway.openapi.examples import ACCOUNT_ID, CREATED, ENDED
from gateway.routes.models.views import MANIFEST, MODEL, ModelRequest, ModelView, manifest_problems
from gateway.services import GatewayRequest

logger = logging.getLogger(__name__)

MAX_TRIES = 5


SavedBy = Annotated[str, doc("The account that saved it.")]


class ModelVersion(Nested):
    """One version of a saved model in a list."""

    version: int
    saved_by: SavedBy
    updated_at: Moment


class SavedModelView(ModelView, View):
    """A saved model."""

    version: int
    saved_by: SavedBy
    updated_at: Moment
    created_at: Moment


class ModelManifest(View):
    """The manifest of a saved model."""

    version: int
    saved_by: SavedBy
    updated_at: Moment
    internal_name: str
    created_at: Moment
    manifest: Annotated[str, doc("The manifest, as it was saved.")]


VERSION_2: dict[str, Any] = {"version": 2, "saved_by": ACCOUNT_ID, "updated_at": ENDED}
SavedModelView.examples = (SavedModelView(**MODEL, **VERSION_2, created_at=CREATED),)
ModelManifest.examples = (
    ModelManifest(**VERSION_2, internal_name="echo", created_at=CREATED, manifest=MANIFEST),
)
ModelVersion.examples = (
    ModelVersion(**VERSION_2),
    ModelVersion(version=1, saved_by=ACCOUNT_ID, updated_at=CREATED),
)
MODEL_LIST = Content(component="ModelList", kind=list[ModelView])
MODEL_VERSION_LIST = Content(component="ModelVersionList", kind=list[ModelVersion])


class ManifestQuery(QueryParameters):
    """Query of the manifest of a saved model."""

    version: Annotated[
        Version | None,
        doc("A former version; the last 50 are kept.", 1),
    ] = None


@operation(answers={200: MODEL_LIST})
@requires("workflow:read", "model:run")
async def list_models(request: GatewayRequest, principal: Principal) -> Response:
    """All models, with their prices after the caller's markup."""
    markup = principal.terms.markup
    workers = await _variables(request, principal)
    return json_response([ModelView.for_caller(model, markup, workers) for model in all_models()])


@operation(body=ModelRequest, answers={201: SavedModelView})
@admins_only
async def create_model(request: GatewayRequest, principal: Principal) -> Response:
    """Save the manifest of a new model, or of one that is to count before one on disk."""
    text, model = await _read_manifest(request)
    workers = await _variables(request, principal)
    saved = await request.services.store.models.create(
        model.internal_name, text, principal.account.id
    )
    _audit("model saved", principal, saved.internal_name, saved.version)
    return _answer(saved, model, principal, workers, 201)


@operation(
    query=ManifestQuery,
    answers={200: ModelManifest},
    errors=(errors.InvalidQuery, errors.ModelNotFound),
)
@admins_only
async def get_model(request: GatewayRequest, principal: Principal) -> Response:
    """The manifest of a saved model, the newest or a former one."""
    version = ManifestQuery.parse(request.scope).version
    name: str = request.path_params["internal_name"]
    saved = await request.services.store.models.get(name, version)
    shown = ModelManifest.from_record(saved, manifest=saved.text)
    return json_response(shown, headers=entity_tag(saved.version))


@operation(answers={200: MODEL_VERSION_LIST}, errors=(errors.ModelNotFound,))
@admins_only
async def list_model_versions(request: GatewayRequest, principal: Principal) -> Response:
    """The versions of a saved model that can be read, newest first."""
    name: str = request.path_params["internal_name"]
    saved = await request.services.store.models.versions(name)
    return json_response([ModelVersion.from_record(each) for each in saved])


@operation(
    body=ModelRequest,
    headers=(IF_MATCH,),
    answers={200: SavedModelView},
    errors=(errors.ModelNotFound, errors.VersionConflict),
)
@admins_only
async def update_model(request: GatewayRequest, principal: Principal) -> Response:
    """Save the next version of a saved model."""
    name: str = request.path_params["internal_name"]
    models = request.services.store.models
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
        except errors.VersionConflict:
            current = await models.get(name)
            continue
        _audit("model saved", principal, name, saved.version)
        return _answer(saved, model, principal, workers)
    raise errors.VersionConflict(current.version, "model")


@operation(answers={200: Deleted}, errors=(errors.ModelNotFound,))
@admins_only
async def delete_model(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a saved model; one on disk of that name counts again."""
    name: str = request.path_params["internal_name"]
    version = await request.services.store.models.delete(name, principal.account.id)
    _audit("model deleted", principal, name, version)
    return json_response(DELETED)


async def _read_manifest(request: GatewayRequest, name: str | None = None) -> tuple[str, Model]:
    text = (await read_body(request, ModelRequest)).manifest
    try:
        return text, parse_saved(text, key_destinations_on_disk(), name)
    except ManifestError as error:
        raise _invalid(error) from None


def _invalid(error: ManifestError) -> errors.InvalidBody:
    count = len(error.faults)
    noun = "problem" if count == 1 else "problems"
    return errors.InvalidBody(
        f"The manifest has {count} {noun}", field="manifest", problems=manifest_problems(error)
    )


def _audit(event: str, principal: Principal, name: str, version: int) -> None:
    account = principal.account
    extra = {"account_id": account.id, "role": account.role.value, "model": name}
    logger.info(event, extra={**extra, "version": version})


async def _variables(request: GatewayRequest, principal: Principal) -> WorkerVariables:
    services = request.services
    names_variables = services.settings.tell_setup or principal.account.role is Role.ADMIN
    return await services.worker_variables.read(names_variables=names_variables)


def _answer(
    saved: SavedModel,
    model: Model,
    principal: Principal,
    workers: WorkerVariables,
    status: int = 200,
) -> Response:
    shown = SavedModelView.for_caller(
        model,
        principal.terms.markup,
        workers,
        **structs.asdict(ModelVersion.from_record(saved)),
        created_at=moment(saved.created_at),
    )
    return json_response(shown, status, entity_tag(saved.version))


routes = [
    Route("/api/models", Resource(GET=list_models, POST=create_model)),
    Route(
        "/api/models/{internal_name}",
        Resource(GET=get_model, PUT=update_model, DELETE=delete_model),
    ),
    Route("/api/models/{internal_name}/versions", Resource(GET=list_model_versions)),
]
