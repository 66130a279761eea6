"""Schemas of members shared by sections of several dialects."""

from typing import Any

from engine.models.dialects.endpoint import MAX_SECONDS
from engine.models.tables.table_checks import MAX_COUNT
from engine.models.tables.table_reader import MAX_TEXT, VARIABLE

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_COUNT}
VARIABLE_NAME: Schema = {"type": "string", "pattern": f"^{VARIABLE.pattern}$"}
ANSWER_PATH: Schema = {"$ref": "#/$defs/answerPath"}
ANSWER_PATHS: Schema = {"anyOf": [ANSWER_PATH, {"type": "array", "items": ANSWER_PATH}]}
BODY: Schema = {"description": "Any value; its texts may contain {{ field }}."}
SHARED: dict[str, Schema] = {
    "base_url": {"type": "string", "pattern": "^https?://", "description": "Ends without a slash."},
    "base_url_env": VARIABLE_NAME,
    "setup": {**TEXT, "description": "Instructions for setting base_url_env; excludes base_url."},
    "api_key_env": VARIABLE_NAME,
    "keep_alive": {"type": "boolean"},
    "stream": {"type": "boolean", "description": "Stream the text of a chat while a caller waits."},
    "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_SECONDS},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    **dict.fromkeys(("body", "prompt", "system", "images", "schema"), BODY),
}
"""Members of several sections that are not plain texts."""
PLACED: Schema = {"anyOf": [{"required": ["base_url"]}, {"required": ["base_url_env", "setup"]}]}
"""Requirement of a section without a default address."""


def table_schema(members: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of a table with these members and no others."""
    table: Schema = {"type": "object", "properties": dict(members), "additionalProperties": False}
    return table | {"required": list(required)} if required else table


def section_schema(
    members: tuple[str, ...], required: tuple[str, ...] = (), **own: Schema
) -> Schema:
    """Return the schema of a section.

    A member has its own schema, else that of all sections, else it is a text.
    """
    known = SHARED | own
    return table_schema({name: known.get(name, TEXT) for name in members}, required)
