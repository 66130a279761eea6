"""Models: registry and prices for the caller; admins save manifests."""

import logging
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, structs
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.access.capabilities import Role, Tier
from engine.models.availability import WorkerVariables
from engine.models.manifest import Category, ManifestError, Model
from engine.models.pricing import Unit
from engine.models.registry import all_models, key_destinations_on_disk
from engine.models.saved import MAX_BYTES, parse_saved
from engine.store import Principal, SavedModel
from engine.values.plain import moment
from gateway.auth.endpoints import Resource, admins_only, operation, requires
from gateway.http.entity_tags import entity_tag, wanted_versions
from gateway.http.query import Query
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import Content, Moment, Nested, RequestBody, View, doc, refused
from gateway.openapi.examples import ACCOUNT_ID, CREATED, ENDED
from gateway.openapi.parameters import IF_MATCH, VERSION
from gateway.routes.shared_types import DELETED, Deleted, ModelView, PriceView
from gateway.services import GatewayRequest

logger = logging.getLogger(__name__)

MAX_PROBLEMS = 100

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


class ModelRequest(RequestBody):
    """A manifest to save."""

    manifest: Annotated[
        str,
        Meta(
            description="TOML; docs/how-to/add-a-model.md says more.",
            extra_json_schema={"minLength": 1, "maxLength": MAX_BYTES},
        ),
        refused("must be a text"),
    ]


MANIFEST = """internalName = "echo"
name = "Echo"
category = "text"
tier = "free"

[[fields]]
name = "prompt"
label = "Prompt"
type = "textarea"
required = true

[[pricing]]
unit = "call"
usd = "0.01"

[builtin]
template = "{{ prompt }}"
"""
MODEL: dict[str, Any] = {
    "internal_name": "echo",
    "name": "Echo",
    "category": Category.TEXT,
    "fields": [{"name": "prompt", "label": "Prompt", "type": "textarea", "required": True}],
    "pricing": [PriceView(unit=Unit.CALL, usd=Decimal("0.01"), credits=13)],
    "tier_required": Tier.FREE,
    "enabled": True,
    "available": True,
    "unavailable_reason": None,
}
VERSION_2: dict[str, Any] = {"version": 2, "saved_by": ACCOUNT_ID, "updated_at": ENDED}
ModelView.examples = (ModelView(**MODEL),)
SavedModelView.examples = (SavedModelView(**MODEL, **VERSION_2, created_at=CREATED),)
ModelManifest.examples = (
    ModelManifest(**VERSION_2, internal_name="echo", created_at=CREATED, manifest=MANIFEST),
)
ModelVersion.examples = (
    ModelVersion(**VERSION_2),
    ModelVersion(version=1, saved_by=ACCOUNT_ID, updated_at=CREATED),
)
ModelRequest.examples = (ModelRequest(MANIFEST),)
MODEL_LIST = Content(component="ModelList", kind=list[ModelView])
MODEL_VERSION_LIST = Content(component="ModelVersionList", kind=list[ModelVersion])


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
    saved = await request.state["services"].store.models.create(
        model.internal_name, text, principal.account.id
    )
    _audit("model saved", principal, saved.internal_name, saved.version)
    return _answer(saved, model, principal, workers, 201)


@operation(
    query=(VERSION,),
    answers={200: ModelManifest},
    errors=(errors.InvalidQuery, errors.ModelNotFound),
)
@admins_only
async def get_model(request: GatewayRequest, principal: Principal) -> Response:
    """The manifest of a saved model, the newest or a former one."""
    version = Query(request.scope).version()
    name: str = request.path_params["internal_name"]
    saved = await request.state["services"].store.models.get(name, version)
    shown = ModelManifest.of(saved, manifest=saved.text)
    return json_response(shown, headers=entity_tag(saved.version))


@operation(answers={200: MODEL_VERSION_LIST}, errors=(errors.ModelNotFound,))
@admins_only
async def list_versions(request: GatewayRequest, principal: Principal) -> Response:
    """The versions of a saved model that can be read, newest first."""
    name: str = request.path_params["internal_name"]
    saved = await request.state["services"].store.models.versions(name)
    return json_response([ModelVersion.of(each) for each in saved])


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
    version = await request.state["services"].store.models.delete(name)
    _audit("model deleted", principal, name, version)
    return json_response(DELETED)


async def _read_manifest(request: GatewayRequest, name: str | None = None) -> tuple[str, Model]:
    text = (await read_body(request, ModelRequest)).manifest
    try:
        return text, parse_saved(text, key_destinations_on_disk(), name)
    except ManifestError as error:
        raise _invalid(error) from None


def _invalid(error: ManifestError) -> errors.InvalidBody:
    problems: list[dict[str, Any]] = [
        ({} if fault.line is None else {"line": fault.line}) | {"reason": fault.reason}
        for fault in error.faults
    ]
    count = len(problems)
    noun = "problem" if count == 1 else "problems"
    return errors.InvalidBody(
        f"The manifest has {count} {noun}", field="manifest", problems=problems[:MAX_PROBLEMS]
    )


def _audit(event: str, principal: Principal, name: str, version: int) -> None:
    account = principal.account
    extra = {"account_id": account.id, "role": account.role.value, "model": name}
    logger.info(event, extra={**extra, "version": version})


async def _variables(request: GatewayRequest, principal: Principal) -> WorkerVariables:
    services = request.state["services"]
    names_told = services.settings.tell_setup or principal.account.role is Role.ADMIN
    return await services.worker_variables.read(names_told=names_told)


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
        **structs.asdict(ModelVersion.of(saved)),
        created_at=moment(saved.created_at),
    )
    return json_response(shown, status, entity_tag(saved.version))


routes = [
    Route("/api/models", Resource(GET=list_models, POST=create_model)),
    Route(
        "/api/models/{internal_name}",
        Resource(GET=get_model, PUT=update_model, DELETE=delete_model),
    ),
    Route("/api/models/{internal_name}/versions", Resource(GET=list_versions)),
]
