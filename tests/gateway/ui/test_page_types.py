"""The types of the pages, made of the OpenAPI document."""

from pathlib import Path
from typing import Any

import pytest

from gateway.ui.page_types import type_of, write

ROW = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "An id."},
        "at": {"type": ["string", "null"]},
    },
    "required": ["id"],
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "unknown"),
        ({"type": "integer"}, "number"),
        ({"const": "a"}, '"a"'),
        ({"type": "string", "enum": ["a", "b"]}, '("a" | "b")'),
        ({"type": ["array", "null"], "items": {"type": "boolean"}}, "(boolean[] | null)"),
        ({"anyOf": [{"$ref": "#/components/schemas/Field"}, {"type": "null"}]}, "(Field | null)"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({"type": "object", "additionalProperties": True}, "Record<string, unknown>"),
        (ROW, "{\n/** An id. */\nid: string;\nat?: (string | null);\n}"),
    ],
)
def test_a_schema_is_a_type(schema: dict[str, Any], expected: str) -> None:
    assert type_of(schema) == expected


def test_a_schema_of_another_form_is_refused() -> None:
    with pytest.raises(KeyError):
        type_of({"type": "date"})


def test_the_file_has_a_type_for_each_schema_and_is_left_alone_where_it_is_right(
    tmp_path: Path,
) -> None:
    file = tmp_path / "schemas.d.ts"

    write(file)
    first = file.stat()
    write(file)

    assert "export type ExecutionPage = {\nrows: ExecutionRow[];\n" in file.read_text()
    assert file.stat().st_mtime_ns == first.st_mtime_ns
