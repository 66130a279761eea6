"""Every error and every example of the OpenAPI document, and its page for people."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from starlette.routing import Route

from engine import errors
from engine.settings import Settings
from gateway.app import routes
from gateway.auth.resource import Resource
from gateway.http.types import decode_instant
from gateway.openapi.components import components_of, examples_of
from gateway.openapi.document import make_document, shapes_of
from gateway.openapi.errors import NAMELESS, SAMPLES, SCHEMAS, STATUSES
from gateway.routes.pages.docs import make_page
from tests.support.nodes.strict_schemas import closed

ERRORS_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
DOCUMENT = make_document(routes(Settings()), "1")
COMPONENTS = DOCUMENT["components"]
SHAPES = {name: closed(shape) for name, shape in COMPONENTS["schemas"].items()}
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}
NOT_RAISED = {
    *(errors.InvalidRequest, errors.PaymentRequired, errors.Forbidden, errors.Conflict),
}
"""Errors that are base classes."""
BREAKABLE: dict[str, Any] = {
    "INVALID_INPUTS": {"field": 5},
    "INVALID_GRAPH": {"problems": ["a"]},
    "INSUFFICIENT_CREDITS": {"balance": "much"},
    "WORKFLOW_NOT_FOUND": {"code": "NOT_FOUND"},
}


def validator(schema: Any) -> jsonschema_rs.Validator:
    whole = {**closed(schema), "components": {"schemas": SHAPES}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@functools.cache
def validator_of(schema: str) -> jsonschema_rs.Validator:
    """Return the validator of a schema that many places share, given as JSON."""
    return validator(json.loads(schema))


def contents() -> Iterator[tuple[str, Any]]:
    """Yield every body of requests and answers, by operation, status and media type."""
    for name, operation in OPERATIONS.items():
        holders = {"body": operation["requestBody"]} if "requestBody" in operation else {}
        for place, holder in (holders | operation["responses"]).items():
            for media_type, content in holder["content"].items():
                yield f"{name} {place} {media_type}", content


def codes_of(operation: str, status: int) -> set[str]:
    return set(OPERATIONS[operation]["responses"][str(status)]["description"].split(", "))


CONTENTS = dict(contents())
TYPES = {
    name: shape
    for name, shape in components_of(
        shape
        for route in routes(Settings())
        if isinstance(route, Route) and isinstance(route.endpoint, Resource)
        for endpoint in route.endpoint.endpoints.values()
        if endpoint.operation
        for shape in shapes_of(endpoint.operation)
    ).items()
    if isinstance(shape, type)
}


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all schemas of the document, from components, parameters and answers."""
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from schemas(each)
    if isinstance(value, dict):
        yield value


def test_every_shape_is_valid_json_schema() -> None:
    assert all(validator_of(json.dumps(shape)) for shape in SHAPES.values())


def test_every_error_that_callers_see_has_an_example() -> None:
    assert {type(sample) for sample in SAMPLES} == set(errors.ERRORS) - NOT_RAISED


def test_all_that_is_sent_and_answered_has_examples_that_fit() -> None:
    without, misfits = [], {}
    for place, content in CONTENTS.items():
        names = [each["$ref"].rpartition("/")[2] for each in content["examples"].values()]
        fits = validator_of(json.dumps(content["schema"]))
        if not names:
            without.append(place)
        for name in names:
            for error in fits.iter_errors(COMPONENTS["examples"][name]["value"]):
                misfits[place, name] = error.message

    assert without == []
    assert misfits == {}


def test_an_example_is_one_of_its_type() -> None:
    misfits = {}
    for name, kind in TYPES.items():
        for example in examples_of(kind):
            try:
                msgspec.convert(example, kind, dec_hook=decode_instant)
            except msgspec.ValidationError as error:
                misfits[name] = str(error)

    assert TYPES
    assert misfits == {}


@pytest.mark.parametrize("code", sorted(BREAKABLE))
def test_the_shape_of_an_error_fits_nothing_else(code: str) -> None:
    example = COMPONENTS["examples"][code]["value"]

    assert not validator(SCHEMAS[code]).is_valid(example | BREAKABLE[code])
    assert not validator(SCHEMAS[code]).is_valid(example | {"more": 1})


def test_what_callers_send_is_not_taken_in_any_shape() -> None:
    bodies = {name: content for name, content in CONTENTS.items() if " body " in name}

    assert bodies
    assert [name for name in bodies if validator(bodies[name]["schema"]).is_valid([])] == []


def test_a_name_that_is_only_blanks_is_described_as_it_is_read() -> None:
    name = validator(COMPONENTS["schemas"]["ApiKeyRequest"]["properties"]["name"])
    characters = [chr(point) for point in range(0x10000) if not 0xD800 <= point < 0xE000]

    told_apart = [each for each in characters if name.is_valid(each) is not bool(each.strip())]

    assert told_apart == []


def test_parameters_have_examples_that_fit() -> None:
    shown = [
        parameter
        for operation in OPERATIONS.values()
        for parameter in operation["parameters"]
        if "example" in parameter
    ]

    assert {each["in"] for each in shown} == {"path", "query", "header"}
    for parameter in shown:
        validator(parameter["schema"]).validate(parameter["example"])


def test_an_operation_lists_its_codes_by_status() -> None:
    assert codes_of("run_workflow", 402) == {
        "INSUFFICIENT_CREDITS",
        "MAX_CREDITS_EXCEEDED",
        "grant_exhausted",
    }
    assert codes_of("run_workflow", 409) == {
        "EXECUTION_CANCELLED",
        "IDEMPOTENCY_KEY_IN_USE",
        "WORKFLOW_NOT_RUNNABLE",
    }
    assert codes_of("get_execution", 404) == {"EXECUTION_NOT_FOUND", "NOT_FOUND"}
    assert codes_of("list_workflows", 403) == {
        "API_KEY_ACCESS_DENIED",
        "CAPABILITY_ABOVE_CEILING",
        "CAPABILITY_DENIED",
    }
    assert codes_of("create_workflow", 403) == codes_of("list_workflows", 403) | {
        "ACCOUNT_NOT_APPROVED",
        "CSRF_FAILED",
    }
    assert codes_of("cancel_execution", 403) == {"API_KEY_ACCESS_DENIED", "CSRF_FAILED"}
    assert codes_of("me", 403) == {"API_KEY_ACCESS_DENIED", "SESSION_REQUIRED"}


def test_every_code_is_one_that_some_operation_or_no_operation_at_all_answers() -> None:
    answered = {
        code
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
        for code in response["description"].split(", ")
        if int(status) >= 400
    }

    assert answered == STATUSES.keys() - {"METHOD_NOT_ALLOWED", "ORIGIN_DENIED"}


def test_every_reference_leads_somewhere() -> None:
    targets = set(re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(DOCUMENT)))

    assert targets
    assert {(kind, name) for kind, name in targets if name not in COMPONENTS[kind]} == set()


def test_every_link_leads_to_an_operation_and_its_parameters() -> None:
    links = [
        link
        for operation in OPERATIONS.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert links
    for link in links:
        names = {each["name"] for each in OPERATIONS[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= names


def test_the_page_of_errors_says_the_same() -> None:
    rows = {}
    for line in ERRORS_PAGE.read_text().split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and cells[0].isdecimal():
            name = NAMELESS if cells[1] == "*(none)*" else cells[1].strip("`")
            rows[name] = (int(cells[0]), set(re.findall(r"`(\w+)`", cells[3])))

    assert rows == {
        name: (status, SCHEMAS[name]["properties"].keys() - {"error", "code", "traceId"})
        for name, status in STATUSES.items()
    }


def test_the_page_shows_every_code_and_example_and_leads_nowhere_else() -> None:
    page = make_page(DOCUMENT)

    assert all(f'<h3 id="{code}">' in page for code in STATUSES)
    assert page.count("Hello Ada") >= 3
    assert "/api/workflows/{slug}/openapi.json" in page
    targets = set(re.findall(r'(?:href|src|action)="([^"]*)"', page))
    assert {target for target in targets if not target.startswith("#")} == {"openapi.json"}
    assert {target[1:] for target in targets if target.startswith("#")} <= set(
        re.findall(r'id="([^"]*)"', page)
    )


def test_no_schema_leaves_generators_of_clients_to_guess() -> None:
    for schema in schemas({"paths": DOCUMENT["paths"], "schemas": COMPONENTS["schemas"]}):
        kinds = schema.get("type", ())
        if "array" in (kinds if isinstance(kinds, list) else [kinds]):
            assert "items" in schema, schema
        if kinds == "object" and not schema.keys() & {"oneOf", "anyOf"}:
            assert schema.get("properties") or "additionalProperties" in schema, schema
        if kinds == "object":
            properties, required = schema.get("properties", {}), schema.get("required", ())
            consts = {name for name in properties if set(properties[name]) == {"const"}}
            assert consts <= set(required), schema
