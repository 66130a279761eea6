"""Types shared by several resources or by the commands."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, Meta, UnsetType

from engine.access.capabilities import Role, Tier
from engine.models.availability import WorkerVariables
from engine.models.manifest import Category, Model
from engine.models.pricing import MICRO, MICRO_USD_PER_CREDIT, Price, Unit
from engine.store import Account, Webhook
from engine.values.fields import FieldType
from engine.values.sockets import SocketType
from gateway.http.types import OBJECT, Content, Credits, Moment, Nested, View, described_as, doc
from gateway.openapi.examples import CREATED, ENDED


class FieldView(View, kw_only=True):
    """A field of a workflow or a model, in the shape of `Field.as_dict`."""

    name: str
    label: str
    type: FieldType
    required: bool
    default: Any | UnsetType = UNSET
    options: list[str | float] | UnsetType = UNSET
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET
    step: float | UnsetType = UNSET
    max_length: int | UnsetType = UNSET
    helper_text: str | UnsetType = UNSET


class Deleted(View):
    """The answer to a deletion."""

    success: Literal[True]


DELETED = Deleted(success=True)
Deleted.examples = (DELETED,)


HTML_PAGE = Content(
    component="Page", kind=str, media_type="text/html", examples=("<!doctype html>…",)
)
Amount = Annotated[Decimal | int, Meta(extra_json_schema={"type": "number"})]
"""An exact sum of money."""


def exact_amount(amount: Decimal) -> Decimal | int:
    """Return the same amount in its fewest digits."""
    return int(amount) if amount == amount.to_integral_value() else amount.normalize()


class UserView(Nested):
    """An account."""

    id: str
    email: str
    role: Role
    tier: Tier
    approved: bool


class BalanceView(Nested):
    """Credits that an account can spend."""

    balance: Credits


class AccountView(UserView, View):
    """An account, as administrators see it."""

    credits: BalanceView
    created_at: Moment

    @classmethod
    def of(cls, record: Account, **members: Any) -> Self:
        """Build the view of an account with this `balance`."""
        return super().of(record, credits=BalanceView(members.pop("balance")), **members)


class AuditEntryView(Nested):
    """An administrative act."""

    id: str
    at: Moment
    by: Annotated[str, doc("The id of the account that acted, or `command`.")]
    action: str
    subject: Annotated[str, doc("The id of the account, key or session, or the model's name.")]
    before: Annotated[OBJECT | None, doc("What the act changed, as it was; null: nothing.")]
    after: Annotated[OBJECT | None, doc("The same as it is since; null: nothing.")]


class ApiKeyView(Nested):
    """An API key, without its secret."""

    id: str
    name: str
    prefix: str
    last4: str
    capabilities: Sequence[str]
    created_at: Moment
    expires_at: Moment | None


class SecretView(View):
    """A secret of the account, without its value."""

    name: str
    created_at: Moment
    updated_at: Moment


SecretView.examples = (SecretView(name="STRIPE_KEY", created_at=CREATED, updated_at=ENDED),)


class PriceView(Nested):
    """A price per unit, in USD and in credits after the caller's markup."""

    unit: Unit
    usd: Amount
    credits: Amount

    @classmethod
    def of(cls, record: Price, *, markup: Decimal = Decimal(1), **members: Any) -> Self:
        """Build the price for a caller with this markup."""
        credits = exact_amount(record.usd * markup * MICRO / MICRO_USD_PER_CREDIT)
        return super().of(record, usd=exact_amount(record.usd), credits=credits, **members)


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

    @classmethod
    def for_caller(
        cls, model: Model, markup: Decimal, workers: WorkerVariables, **members: Any
    ) -> Self:
        """Build the view of a model for a caller with this markup."""
        reason = workers.unavailable_reason(model)
        return cls.of(
            model,
            fields=[each.as_dict() for each in model.fields],
            pricing=[PriceView.of(each, markup=markup) for each in model.pricing],
            tier_required=model.tier,
            available=reason is None,
            unavailable_reason=reason,
            is_demo=workers.is_demo(model),
            **members,
        )


class GraphProblem(Nested, kw_only=True):
    """A problem of a graph, and its place."""

    node_id: str | UnsetType = UNSET
    edge_id: str | UnsetType = UNSET
    field: Annotated[
        str | UnsetType,
        doc("Path of the setting within the node's `data`, such as `items[0].value`."),
    ] = UNSET
    socket: Annotated[str | UnsetType, doc("Socket of the node, or at one end of the edge.")] = (
        UNSET
    )
    reason: str


class OutputSocketView(Nested):
    """An output socket of a node."""

    name: str
    type: SocketType


class InputSocketView(OutputSocketView):
    """An input socket of a node."""

    many: Annotated[bool, doc("It takes any number of edges.")]
    required: Annotated[bool, doc("The node cannot run without an edge here.")]


class NodeSocketsView(Nested):
    """The sockets of a node as its settings are now."""

    inputs: list[InputSocketView]
    outputs: list[OutputSocketView]


class EstimateView(Nested):
    """The most that a run costs, of the nodes without problems."""

    total: Credits
    by_node: Annotated[dict[str, int], doc("Credits of each charged node by its id.")]


class CheckView(View):
    """State of a graph as it is now."""

    problems: Annotated[list[OBJECT], described_as(list[GraphProblem])]
    sockets: Annotated[OBJECT, described_as(dict[str, NodeSocketsView])]
    estimate: Annotated[OBJECT, described_as(EstimateView)]


CHECKED: dict[str, Any] = {
    "problems": [
        {
            "nodeId": "text",
            "socket": "name",
            "reason": "Nothing is wired to the input socket 'name'",
        }
    ],
    "sockets": {
        "text": {
            "inputs": [{"name": "name", "type": "any", "many": False, "required": True}],
            "outputs": [{"name": "text-out", "type": "text"}],
        }
    },
    "estimate": {"total": 0, "byNode": {}},
}
CheckView.examples = (CheckView(**CHECKED),)


class SavedWebhook(View, kw_only=True):
    """A saved webhook: as `WebhookView`, with a secret that was just created."""

    url: str
    enabled: bool
    secret: str | UnsetType = UNSET
    disabled_reason: str | UnsetType = UNSET
    created_at: Moment

    @classmethod
    def of(cls, record: Webhook, **members: Any) -> Self:
        """Build the view of a webhook; the secret is present only when it was just created."""
        members["secret"] = record.made_secret or UNSET
        return super().of(record, disabled_reason=record.disabled_reason or UNSET, **members)
