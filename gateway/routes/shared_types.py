"""Types that several resources have in common."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from engine.fields import FieldType
from gateway.http.types import Content, View


class FieldView(View, kw_only=True):
    """A field of a workflow or a model, as `Field.as_dict` gives it."""

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
"""A sum of money, exactly."""


def exact_amount(amount: Decimal) -> Decimal | int:
    """The same amount in as few digits as it takes."""
    return int(amount) if amount == amount.to_integral_value() else amount.normalize()
