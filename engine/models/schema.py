"""JSON Schema of manifests, for editors that check TOML.

It describes members and their types; the parser checks how they depend on each other.
"""

from typing import get_args

from engine.access.capabilities import Tier
from engine.models.calls.call_sections import CALLS, Call
from engine.models.dialects.section_schema import (
    COUNT,
    TEXT,
    Schema,
    described,
    table_schema,
)
from engine.models.limits import MEMBERS as LIMITS
from engine.models.manifest import (
    FIELD_MEMBERS,
    MAX_DAYS,
    MAX_FALLBACKS,
    MAX_NAME,
    MAX_SOURCE,
    Category,
)
from engine.models.pricing import Unit
from engine.values.fields import FieldType
from engine.values.json_schemas import DRAFT


def manifest_schema() -> Schema:
    """Return the JSON Schema 2020-12 of a manifest."""
    return {
        "$schema": DRAFT,
        "title": "Headrace model manifest",
        **table_schema(_top(), ("internalName", "name", "category", "tier")),
        "oneOf": [{"required": [name]} for name in CALLS],
        "$defs": {
            "answerPath": {
                "type": "string",
                "minLength": 1,
                "description": "Path of a value in an answer: data[0].url, data[].url.",
            }
        },
    }


def _top() -> dict[str, Schema]:
    return {
        "internalName": described(
            {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
            "Name in workflows and programs: A-Z, a-z, 0-9, '.', '_' and '-'.",
        ),
        "name": described(
            {"type": "string", "minLength": 1, "maxLength": MAX_NAME}, "Name for people."
        ),
        "category": described({"enum": list(Category)}, "Kind of media that it makes."),
        "tier": described({"enum": list(Tier)}, "The lowest tier whose accounts run it."),
        "enabled": {"type": "boolean", "default": True},
        "source": described({"type": "string", "maxLength": MAX_SOURCE}, "Page about the call."),
        "priceSource": described(
            {"type": "string", "maxLength": MAX_SOURCE}, "Page about the prices."
        ),
        "fields": {"type": "array", "items": _field()},
        "pricing": {"type": "array", "items": _price()},
        "trial": _trial(),
        "limits": table_schema(dict.fromkeys(LIMITS, COUNT)),
        "fallback": described(
            {"type": "array", "items": TEXT, "maxItems": MAX_FALLBACKS},
            "Internal names of models to ask in turn when the provider cannot be had.",
        ),
        **{section.name: section.json_schema for section in get_args(Call)},
    }


def _field() -> Schema:
    numbers = dict.fromkeys(("min", "max", "step"), {"type": "number"})
    members: dict[str, Schema] = {
        "name": {"type": "string", "minLength": 1, "maxLength": 64},
        "label": {"type": "string"},
        "type": {"enum": list(FieldType)},
        "required": {"type": "boolean"},
        "default": {},
        "options": {"type": "array", "items": {"type": ["string", "number"]}},
        "maxLength": {"type": "integer", "minimum": 1},
        "helperText": {"type": "string"},
    }
    return table_schema(
        {name: (members | numbers)[name] for name in FIELD_MEMBERS}, ("name", "type")
    )


def _price() -> Schema:
    members: dict[str, Schema] = {
        "unit": {"enum": list(Unit)},
        "usd": described(
            {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,12})?$"},
            "Price of one unit, a decimal number such as 0.002.",
        ),
        "field": TEXT,
        "atMost": COUNT,
        "perImage": described(COUNT, "Tokens of an image, at most."),
    }
    return table_schema(members, ("unit", "usd"))


def _trial() -> Schema:
    days = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_DAYS}
    either = [{"required": ["runs"]}, {"required": ["days"]}]
    return table_schema({"runs": COUNT, "days": days}) | {"oneOf": either}
