"""Arguments of a tool by its schema."""

from typing import Any

import pytest

from engine.nodes.support.settings import Faults
from engine.nodes.support.tool_arguments import fit, read_arguments


@pytest.mark.parametrize(
    ("value", "kind", "fitting"),
    [
        ("5", "integer", 5),
        ("5.5", "number", 5.5),
        ("true", "boolean", True),
        ("true", "integer", "true"),
        ("[1]", "array", [1]),
        ('{"a": 1}', "object", {"a": 1}),
        ("[1]", "object", "[1]"),
        ("{", "object", "{"),
        ("5", "string", "5"),
        ("5", ["string", "integer"], "5"),
        ("null", ["integer", "null"], None),
        (5, "string", "5"),
        ({"a": 1}, "string", '{"a":1}'),
        (5, ["string", "integer"], 5),
        (5.0, "integer", 5),
        (5.5, "integer", 5.5),
        (None, "string", None),
        ("5", None, "5"),
        ("5", ["integer", 7], 5),
    ],
)
def test_a_value_gets_the_type_that_it_can_only_mean(value: Any, kind: Any, fitting: Any) -> None:
    found = fit(value, {"type": kind})

    assert found == fitting and type(found) is type(fitting)


@pytest.mark.parametrize("schema", [None, True, {}, {"type": {}}, {"$ref": "#/a"}])
def test_a_schema_that_names_no_type_changes_nothing(schema: Any) -> None:
    assert fit("5", schema) == "5"


def test_a_placeholder_that_has_the_name_of_a_property_is_its_socket_alone() -> None:
    schema = {"properties": {"text": {"type": "string"}, "other": {}}, "required": ["text"]}
    arguments = read_arguments(
        {"arguments": {"text": "Hello {{ text }}"}, "schema": schema}, Faults()
    )

    assert list(arguments.sockets()) == ["other", "text"]
    assert arguments.fill({"text": "you", "other": 1}) == {"text": "Hello you", "other": 1}


@pytest.mark.parametrize(
    "schema", [{}, {"properties": []}, {"required": "a"}, {"properties": {"": {}, "a" * 200: {}}}]
)
def test_a_strange_schema_has_no_sockets(schema: Any) -> None:
    arguments = read_arguments({"schema": schema}, Faults())

    assert arguments.sockets() == {} and arguments.fill({"a": 1}) == {}
