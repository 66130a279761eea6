"""Types of models: saved manifests, checks and tries."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType, field

from engine.access.capabilities import Tier
from engine.executions.execution import Execution, ExecutionOutcome
from engine.models.calls.shown_request import ShownRequest
from engine.models.manifest import Category, Fault, ManifestError
from engine.models.pricing import Unit
from engine.models.registry import ModelOrigin
from engine.models.saved import MAX_BYTES
from gateway.http.types import (
    OBJECT,
    Content,
    Credits,
    Moment,
    Nested,
    RequestBody,
    Uuid,
    View,
    described_as,
    doc,
    refused,
)
from gateway.openapi.examples import ACCOUNT_ID, CREATED, ENDED, EXECUTION_ID
from gateway.routes.shared_types import ModelView, PriceView

MAX_PROBLEMS = 100

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
            description="TOML; docs/how-to/models/add-a-model.md says more.",
            extra_json_schema={"minLength": 1, "maxLength": MAX_BYTES},
        ),
        refused("must be a text"),
    ]


class ManifestProblem(Nested, kw_only=True):
    """A fault of a manifest."""

    line: Annotated[int | UnsetType, doc("Line of the manifest, where one can be told.")] = UNSET
    path: Annotated[
        str | UnsetType, doc("Member at fault, such as `fields[0].type`, where one can be told.")
    ] = UNSET
    reason: str


def manifest_problems(error: ManifestError) -> list[OBJECT]:
    """Return the first faults of a manifest, in the shape of `ManifestProblem`."""
    return [_problem(fault) for fault in error.faults[:MAX_PROBLEMS]]


def _problem(fault: Fault) -> OBJECT:
    line = {} if fault.line is None else {"line": fault.line}
    path = {"path": fault.path} if fault.path else {}
    return {**line, **path, "reason": fault.reason}


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
        return cls.of(request, request_headers=dict(request.headers))


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
    "is_demo": False,
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
MODEL_LIST = Content(component="ModelList", kind=list[ModelView])
MODEL_VERSION_LIST = Content(component="ModelVersionList", kind=list[ModelVersion])
