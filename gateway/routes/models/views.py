"""Types of models and of their manifests."""

from decimal import Decimal
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.access.capabilities import Tier
from engine.models.availability import WorkerVariables
from engine.models.manifest import Category, Fault, ManifestError, Model
from engine.models.pricing import MICRO, MICRO_USD_PER_CREDIT, Price, Unit
from engine.models.saved import MAX_BYTES
from gateway.http.types import (
    OBJECT,
    Amount,
    Nested,
    RequestBody,
    described_as,
    doc,
    exact_amount,
    refused,
)
from gateway.waits.views import FieldView

MAX_PROBLEMS = 100


class PriceView(Nested):
    """A price per unit, in USD and in credits after the caller's markup."""

    unit: Unit
    usd: Amount
    credits: Amount

    @classmethod
    def from_record(cls, record: Price, *, markup: Decimal = Decimal(1), **members: Any) -> Self:
        """Build the price for a caller with this markup."""
        credits = exact_amount(record.usd * markup * MICRO / MICRO_USD_PER_CREDIT)
        return super().from_record(record, usd=exact_amount(record.usd), credits=credits, **members)


class ModelView(Nested):
    """A model, with its prices for the caller."""

    internal_name: str
    name: str
    category: Category
    fields: Annotated[list[OBJECT], described_as(list[FieldView])]
    pricing: list[PriceView]
    tier_required: Tier
    enabled: bool
    available: Annotated[bool, doc("Whether a living worker has what a call needs, as its key.")]
    unavailable_reason: Annotated[str | None, doc("The reason why it is not, as a sentence.")]
    is_demo: Annotated[
        bool, doc("Its answers are made up by the demo provider; no real model is asked.")
    ]
    takes_tools: Annotated[
        bool, doc("Whether it continues chats with tools, so that an agent can use it.")
    ]

    @classmethod
    def for_caller(
        cls, model: Model, markup: Decimal, workers: WorkerVariables, **members: Any
    ) -> Self:
        """Build the view of a model for a caller with this markup."""
        reason = workers.unavailable_reason(model)
        return cls.from_record(
            model,
            fields=[each.as_dict() for each in model.fields],
            pricing=[PriceView.from_record(each, markup=markup) for each in model.pricing],
            tier_required=model.tier,
            available=reason is None,
            unavailable_reason=reason,
            is_demo=workers.is_demo(model),
            **members,
        )


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
    "takes_tools": False,
}
ModelView.examples = (ModelView(**MODEL),)
ModelRequest.examples = (ModelRequest(MANIFEST),)
