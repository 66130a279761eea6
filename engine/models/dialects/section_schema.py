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


def described(schema: Schema, description: str, **more: Any) -> Schema:
    """Return the schema of a member with its help, which the form of manifests shows as well."""
    return {**schema, "description": description, **more}


SHARED: dict[str, Schema] = {
    "base_url": {"type": "string", "pattern": "^https?://", "description": "Ends without a slash."},
    "base_url_env": described(
        VARIABLE_NAME,
        "Variable whose base URL counts before base_url. Only manifests on disk may name one.",
    ),
    "setup": described(TEXT, "Instructions for setting base_url_env; excludes base_url."),
    "api_key_env": described(
        VARIABLE_NAME,
        "Variable of the workers with the key, as OPENAI_API_KEY. The key itself is never here.",
    ),
    "key_header": described(
        TEXT, "Header of the key. By default Authorization; for [anthropic] x-api-key."
    ),
    "key_prefix": described(TEXT, "Text before the key. By default 'Bearer '."),
    "idempotency_header": described(TEXT, "Header of the idempotency key, where there is one."),
    "keep_alive": described({"type": "boolean"}, "Reuse connections.", default=True),
    "stream": described(
        {"type": "boolean"}, "Stream the text of a chat while a caller waits.", default=True
    ),
    "tools": described(
        {"type": "boolean"}, "The model takes tools, so that an agent can use it.", default=True
    ),
    "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_SECONDS},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "model": described(TEXT, "Name of the model at the provider."),
    "files": described(
        BODY,
        "PDFs of the prompt, sent as data; by default the fields of the type file. A list of texts "
        "that may contain {{ field }}.",
    ),
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
    members: tuple[str, ...], required: tuple[str, ...] = (), title: str = "", /, **own: Schema
) -> Schema:
    """Return the schema of a section, with a title that the form of manifests shows.

    A member has its own schema, else that of all sections, else it is a text.
    """
    known = SHARED | own
    table = table_schema({name: known.get(name, TEXT) for name in members}, required)
    return table | {"title": title} if title else table
