"""The form of manifests: a control for each member, as the schema has it."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.models.schema import manifest_schema

FILE = Path("gateway/ui/src/models/editor/form/members.json")
TABLES: dict[str, tuple[str, ...]] = {
    "top": (),
    "http.job": ("http", "job"),
    "http.usage": ("http", "usage"),
    "pricing": ("pricing",),
    "trial": ("trial",),
    "limits": ("limits",),
}
"""Paths of the tables that are no sections."""
SECTIONS = ("openai", "anthropic", "http", "builtin")
NESTED = {"job", "usage", "pricing", "fields", "trial", "limits", *SECTIONS}
MEMBERS: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text())


def schema_at(path: tuple[str, ...]) -> dict[str, Any]:
    """Return the members that a table may have, with their schemas."""
    schema = manifest_schema()
    for step in path:
        schema = schema["properties"][step]
        schema = schema.get("items", schema)
    properties: dict[str, Any] = schema["properties"]
    return properties


def parts_of(table: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the members of a table's schema and those of its form."""
    if table in SECTIONS:
        shared = [] if table == "builtin" else MEMBERS["endpoint"]
        return schema_at((table,)), [*MEMBERS[table], *shared]
    return schema_at(TABLES[table]), MEMBERS[table]


@pytest.mark.parametrize("table", [*SECTIONS, *TABLES])
def test_each_member_of_a_table_has_one_control(table: str) -> None:
    schema, form = parts_of(table)

    names = [member["name"] for member in form]

    assert len(names) == len(set(names))
    assert set(names) == set(schema) - NESTED


@pytest.mark.parametrize("table", [*SECTIONS, *TABLES])
def test_choices_are_those_of_the_schema(table: str) -> None:
    schema, form = parts_of(table)

    choices = {each["name"]: each["options"] for each in form if "options" in each}

    assert choices == {name: each["enum"] for name, each in schema.items() if "enum" in each}
