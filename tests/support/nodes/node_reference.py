"""Reference page of the settings of node types, which this module writes when it is run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.nodes import NODE_TYPES
from engine.nodes.catalogue import list_node_types, settings_schema
from engine.nodes.support.policy import CACHE, POLICY
from engine.nodes.support.settings import schema_of

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "node-settings.md"
HEAD = """# Settings of node types

The members of a node's `data`, as `GET /api/node-types` describes them in JSON Schema; the
[node types](node-types.md) explain them. This page is made of the same definitions.
"""
COLUMNS = "| setting | values | default | meaning |\n|---|---|---|---|"


def make_page() -> str:
    """The whole page."""
    every = schema_of((*POLICY, CACHE))["properties"]
    parts = [HEAD, "## Every node\n", COLUMNS, *_rows(every, ()), ""]
    for entry, kind in zip(list_node_types(), NODE_TYPES, strict=True):
        schema = settings_schema(kind)
        shown = schema["properties"].items()
        own = {name: each for name, each in shown if each != every.get(name)}
        rows = [COLUMNS, *_rows(own, schema.get("required", ()))] if own else ["It has none."]
        parts += [f"## `{entry.type}`\n", f"{entry.label}: {entry.description}\n", *rows, ""]
    return "\n".join(parts)


def _rows(members: dict[str, Any], required: Any) -> Iterator[str]:
    for name, each in members.items():
        default = f"`{json.dumps(each['default'])}`" if "default" in each else ""
        shown = "required" if name in required else default
        yield f"| `{name}` | {_values(each)} | {shown} | {each['description']} |"


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"] if each is not None)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(filter(None, map(_values, schema["anyOf"]))))
    kinds = schema.get("type", [])
    names = [each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "null"]
    words = " or ".join(
        {
            "object": "an object",
            "array": "a list",
            "string": "a text",
            "boolean": "true or false",
            "integer": "a whole number",
            "number": "a number",
        }[each]
        for each in names
    )
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{words} from {least:g} to {most}"
    return words


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
