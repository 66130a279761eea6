"""Write the schemas that the TypeScript client uses, and the codes of errors, as its types.

`make types` and `make dist` call it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.settings import Settings
from gateway.app import routes
from gateway.openapi.document import make_document
from gateway.ui.page_types import type_of

SOURCES = Path(__file__).parent / "src"
TYPES = SOURCES / "schemas.ts"
IMPORT = re.compile(r'import type \{([^}]+)\} from "\./schemas\.ts"')
ERROR_CODE = "ErrorCode"
"""Name of the union of all codes, which the document has in the schemas of errors."""
HEADING = "// Written from the OpenAPI document by client_types.py.\n"


def write(path: Path) -> None:
    """Write the types, unless the file has them. Raises KeyError for a type without a schema."""
    schemas = make_document(routes(Settings()), "")["components"]["schemas"]
    text = HEADING + "\n".join(_declarations(schemas, _imported()))
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _imported() -> set[str]:
    """Return the names that the sources import from the types."""
    texts = (source.read_text(encoding="utf-8") for source in SOURCES.glob("*.ts"))
    lists = (names for text in texts for names in IMPORT.findall(text))
    return {name.strip() for names in lists for name in names.split(",")} - {ERROR_CODE}


def _declarations(schemas: Mapping[str, Any], names: set[str]) -> Iterator[str]:
    codes = {
        code["const"]
        for schema in schemas.values()
        if "error" in (members := schema.get("properties", {}))
        and "const" in (code := members.get("code", {}))
    }
    words = " | ".join(f'"{code}"' for code in sorted(codes))
    yield f"/** Codes of the API's errors. */\nexport type {ERROR_CODE} = {words};\n"
    for name in sorted(_reached(schemas, names)):
        yield f"export type {name} = {type_of(schemas[name])};\n"


def _reached(schemas: Mapping[str, Any], names: set[str]) -> set[str]:
    """Return the names and those that their schemas refer to."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(_references(schemas[name])) - found
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)


if __name__ == "__main__":
    write(TYPES)
