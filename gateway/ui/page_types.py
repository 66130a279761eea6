"""Write the schemas of the OpenAPI document as TypeScript, the types of the API's answers.

Vite leaves types out, so that the pages are built without the file. The compiler needs it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.settings import Settings
from gateway.app import routes
from gateway.openapi.document import make_document

TYPES = Path(__file__).parent / "src" / "api" / "schemas.d.ts"
PLAIN = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}


def type_of(schema: Mapping[str, Any]) -> str:
    """Return a schema as a type. Raises KeyError for a `type` that is unknown."""
    match schema:
        case {"$ref": reference}:
            return str(reference).rpartition("/")[2]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return _union(json.dumps(value) for value in values)
        case {"anyOf": schemas}:
            return _union(type_of(each) for each in schemas)
        case {"type": list(kinds)}:
            return _union(type_of({**schema, "type": kind}) for kind in kinds)
        case {"type": "array"}:
            return f"{type_of(schema['items'])}[]"
        case {"type": "object"}:
            return _object(schema)
        case {"type": kind}:
            return PLAIN[kind]
    return "unknown"


def _union(types: Iterable[str]) -> str:
    return f"({' | '.join(types)})"


def _object(schema: Mapping[str, Any]) -> str:
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        return f"Record<string, {type_of(values) if isinstance(values, dict) else 'unknown'}>"
    lines = ["{"]
    for name, member in schema["properties"].items():
        if description := member.get("description"):
            lines.append(f"/** {description} */")
        mark = "" if name in schema.get("required", ()) else "?"
        lines.append(f"{name}{mark}: {type_of(member)};")
    return "\n".join([*lines, "}"])


def write(path: Path) -> None:
    """Write the types, unless the file has them."""
    schemas = make_document(routes(Settings()), "")["components"]["schemas"]
    types = (f"export type {name} = {type_of(schema)};\n" for name, schema in schemas.items())
    text = "\n".join(types)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(TYPES)
