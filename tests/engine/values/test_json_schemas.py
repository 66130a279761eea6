"""JSON Schemas of authors, and validation of answers."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.values.json_schemas import MAX_BYTES, read_answer, schema_fault
from tests.support.http.target import stub_server

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"$ref": "#/$defs/age"}},
    "required": ["name"],
    "$defs": {"age": {"type": "integer"}},
}


@pytest.mark.parametrize("schema", [{}, PERSON, {"type": "array", "items": {"type": "string"}}])
def test_a_schema_that_is_right_has_no_fault(schema: dict[str, Any]) -> None:
    assert schema_fault(schema) is None


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ([], "must be an object with a JSON Schema"),
        ("{", "must be an object with a JSON Schema"),
        (True, "must be an object with a JSON Schema"),
        ({"type": "person"}, "is not a JSON Schema: "),
        ({"pattern": "("}, "is not a JSON Schema: "),
        ({"pattern": "((a{1000}){1000}){1000}"}, "is not a JSON Schema: "),
        ({"$ref": "http://127.0.0.1:9/a"}, "is not a JSON Schema: "),
        ({"$ref": "file:///etc/passwd"}, "is not a JSON Schema: "),
        ({"$ref": "#/$defs/nobody"}, "is not a JSON Schema: "),
        ({"$schema": "https://a.example/own"}, "is not a JSON Schema: "),
        ({"title": "x" * MAX_BYTES}, f"has {MAX_BYTES + 12} bytes as JSON; at most {MAX_BYTES}"),
    ],
)
def test_a_schema_that_is_not_right_or_refers_elsewhere_is_refused(schema: Any, fault: str) -> None:
    found = schema_fault(schema)

    assert found is not None
    assert found.startswith(fault)
    assert len(found) < 400


def test_nothing_is_fetched_or_read_for_a_schema(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text("{}")

    with stub_server() as stub:
        called = schema_fault({"$ref": f"{stub.url}/json/schema"})

    assert called is not None
    assert stub.requests == []
    assert schema_fault({"$ref": f"file://{tmp_path}/schema.json"}) is not None


def test_an_answer_that_fits_is_given_as_a_value() -> None:
    assert read_answer(PERSON, '```json\n{"name": "Ada", "age": 36}\n```') == {
        "name": "Ada",
        "age": 36,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ada", "The model's answer is not JSON"),
        ("{}", 'The model\'s answer does not fit its JSON Schema: "name" is a required property'),
        (
            '{"name": "Ada", "age": "old"}',
            "The model's answer does not fit its JSON Schema: "
            '[\'age\'] "old" is not of type "integer"',
        ),
    ],
)
def test_another_answer_than_one_that_does_not_fit_may_be_had(text: str, message: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        read_answer(PERSON, text)

    assert raised.value.message == message
    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_BAD_RESPONSE", True)


def test_a_pattern_that_would_take_for_ever_does_not() -> None:
    schema = {"type": "string", "pattern": r"^(a+)+\1$"}

    with pytest.raises(NodeFailed):
        read_answer(schema, '"' + "a" * 5_000 + 'b"')
