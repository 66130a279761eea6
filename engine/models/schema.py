"""JSON Schema of manifests, for editors that check TOML.

It describes members and their types; the parser checks how they depend on each other.
"""

from typing import Any

from engine.access.capabilities import Tier
from engine.models.call_sections import CALLS
from engine.models.dialects.builtin import BuiltinResult
from engine.models.dialects.chat_fields import CHAT_MEMBERS
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, MAX_SECONDS
from engine.models.dialects.http import (
    HTTP_MEMBERS,
    JOB_MEMBERS,
    METHODS,
    USAGE_MEMBERS,
    MediaSection,
)
from engine.models.dialects.openai import OpenAIApi
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
from engine.models.table_checks import MAX_COUNT
from engine.models.table_reader import MAX_TEXT, VARIABLE
from engine.values.fields import FieldType

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_COUNT}
VARIABLE_NAME: Schema = {"type": "string", "pattern": f"^{VARIABLE.pattern}$"}
WAY: Schema = {"$ref": "#/$defs/way"}
WAYS: Schema = {"anyOf": [WAY, {"type": "array", "items": WAY}]}
BODY: Schema = {"description": "Anything, with {{ field }} in its texts."}
SECTION_MEMBERS: dict[str, Schema] = {
    "base_url": {"type": "string", "pattern": "^https?://", "description": "Ends without a slash."},
    "base_url_env": VARIABLE_NAME,
    "setup": {**TEXT, "description": "What to do where base_url_env is not set; no base_url then."},
    "api_key_env": VARIABLE_NAME,
    "keep_alive": {"type": "boolean"},
    "resubmit": {
        "type": "boolean",
        "description": "Whether a job that may have begun is submitted again.",
    },
    "stream": {"type": "boolean", "description": "Whether a chat's text may come as a stream."},
    "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_SECONDS},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "api": {"enum": list(OpenAIApi)},
    "method": {"enum": list(METHODS)},
    "cancel_method": {"enum": list(METHODS)},
    "media": {"enum": list(MediaSection)},
    **dict.fromkeys(("as_text", "inline"), {"type": "array", "items": TEXT, "minItems": 1}),
    "done": {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1},
    "failed": {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1},
    "result": WAYS,
    "error": WAYS,
    **dict.fromkeys(("body", "prompt", "system", "images", "mask", "schema"), BODY),
    **dict.fromkeys(("id", "status", "progress", "status_code"), WAY),
}
"""Schemas of members of sections that are not plain texts."""
PLACED: Schema = {"anyOf": [{"required": ["base_url"]}, {"required": ["base_url_env", "setup"]}]}
"""Alternatives of the members that give the address."""


def manifest_schema() -> Schema:
    """Return the JSON Schema 2020-12 of a manifest."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Headrace model manifest",
        **_table(_top(), ("internalName", "name", "category", "tier")),
        "oneOf": [{"required": [name]} for name in CALLS],
        "$defs": {
            "way": {
                "type": "string",
                "minLength": 1,
                "description": "Where something stands in an answer: data[0].url, data[].url.",
            }
        },
    }


def _top() -> dict[str, Schema]:
    return {
        "internalName": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
        "category": {"enum": list(Category)},
        "tier": {"enum": list(Tier)},
        "enabled": {"type": "boolean"},
        "source": {"type": "string", "maxLength": MAX_SOURCE},
        "priceSource": {"type": "string", "maxLength": MAX_SOURCE},
        "fields": {"type": "array", "items": _field()},
        "pricing": {"type": "array", "items": _price()},
        "trial": _trial(),
        "limits": _table(dict.fromkeys(LIMITS, COUNT)),
        "fallback": {"type": "array", "items": TEXT, "maxItems": MAX_FALLBACKS},
        "builtin": _table(
            {
                "template": {"type": "string", "minLength": 1},
                "gives": {"enum": list(BuiltinResult)},
            },
            ("template",),
        ),
        "openai": _section((*ENDPOINT_MEMBERS, "api", *CHAT_MEMBERS, "mask"), ("model",)) | PLACED,
        "anthropic": _section((*ENDPOINT_MEMBERS, *CHAT_MEMBERS), ("model",)),
        "http": _http(),
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
    return _table({name: (members | numbers)[name] for name in FIELD_MEMBERS}, ("name", "type"))


def _price() -> Schema:
    members: dict[str, Schema] = {
        "unit": {"enum": list(Unit)},
        "usd": {"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,12})?$"},
        "field": TEXT,
        "atMost": COUNT,
        "perImage": COUNT,
    }
    return _table(members, ("unit", "usd"))


def _trial() -> Schema:
    days = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_DAYS}
    either = [{"required": ["runs"]}, {"required": ["days"]}]
    return _table({"runs": COUNT, "days": days}) | {"oneOf": either}


def _http() -> Schema:
    section = _section((*ENDPOINT_MEMBERS, *HTTP_MEMBERS), ("path", "result")) | PLACED
    job = _section(JOB_MEMBERS, ("id", "path", "status", "done", "failed"))
    job["properties"]["error"] = WAY
    section["properties"] |= {"job": job, "usage": _table(dict.fromkeys(USAGE_MEMBERS, WAY))}
    return section


def _section(members: tuple[str, ...], required: tuple[str, ...]) -> Schema:
    return _table({name: SECTION_MEMBERS.get(name, TEXT) for name in members}, required)


def _table(members: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    table: Schema = {"type": "object", "properties": dict(members), "additionalProperties": False}
    return table | {"required": list(required)} if required else table
