"""Tests of workflows in requests: their form, and the check of their expressions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors import InvalidBody, QuotaExceeded
from engine.ids.slugs import SLUG
from engine.ids.workflow_test_names import NAME_RULE, is_test_name
from engine.services.expressions import Expressions
from engine.store.workflows.workflow_test_records import WorkflowTest
from engine.store.workflows.workflow_tests import MOST_TESTS
from engine.values.cel import Expression
from engine.values.plain import fault, kind_of

MOST_EXPECTATIONS = 50
MAX_TEST_BYTES = 262_144
"""Most bytes of the record of a test."""
VARIABLES = ("cost", "ms", "nodes", "result", "status")
"""Names that the inputs of a judge see."""
JUDGE = "judge"
"""Name of the judge's result, which expectations see beside the others."""


async def parse_tests(
    value: object, account_id: str, expressions: Expressions
) -> dict[str, WorkflowTest]:
    """Return the tests of the member `tests` of a document, by name.

    Raises InvalidBody, QuotaExceeded for too many, and Unavailable where their expressions cannot
    be checked now.
    """
    if not isinstance(value, dict):
        raise InvalidBody(f"'tests' must be an object, not {kind_of(value)}", field="tests")
    if len(value) > MOST_TESTS:
        raise QuotaExceeded("tests", used=len(value), limit=MOST_TESTS)
    for name in value:
        if not is_test_name(name):
            message = f"'tests' has a name that none can have: '{name[:64]}'; {NAME_RULE}"
            raise InvalidBody(message, field="tests")
    tests = {name: parse_test(each, f"tests.{name}.") for name, each in value.items()}
    await check_expressions(tests, account_id, expressions, "tests.{}.")
    return tests


def parse_test(value: object, place: str = "") -> WorkflowTest:
    """Return the test of an object; `place` precedes names of members in errors.

    Raises InvalidBody.
    """
    body = _object(value, place.removesuffix("."), "the test")
    members: dict[str, Any] = {
        "inputs": _object(body.get("inputs", {}), f"{place}inputs"),
        "expect": _texts(body.get("expect", []), f"{place}expect"),
    }
    if body.get("pinned") is not None:
        members["pinned"] = _pinned(body["pinned"], f"{place}pinned")
    if body.get("judge") is not None:
        members["judge"] = _judge(body["judge"], f"{place}judge")
    for name in ("inputs", "pinned"):
        if reason := fault(members.get(name)):
            raise InvalidBody(f"'{place}{name}' {reason}", field=f"{place}{name}")
    test = WorkflowTest.from_dict(members)
    if len(test.as_record()) > MAX_TEST_BYTES:
        message = f"'{place}inputs' and the other members take more than {MAX_TEST_BYTES:,} bytes"
        raise InvalidBody(message, field=f"{place}inputs")
    return test


async def check_expressions(
    tests: Mapping[str, WorkflowTest],
    account_id: str,
    expressions: Expressions,
    place: str = "",
) -> None:
    """Raise InvalidBody for the first expression of the tests that cannot be compiled.

    `place`, with the name of a test for `{}`, precedes names of members in errors. Raises
    Unavailable where they cannot be checked now.
    """
    asked = [
        (f"{place.format(name)}{path}", expression)
        for name, test in tests.items()
        for path, expression in _expressions(test)
    ]
    faults = await expressions.check(account_id, [each for _, each in asked])
    for path, expression in asked:
        if reason := faults[expression]:
            text = expression.text if len(expression.text) <= 200 else f"{expression.text[:199]}…"
            raise InvalidBody(f"'{path}': {reason}; it is: {text}", field=path)


def expectation(text: str) -> Expression:
    """Return an expectation as its check needs it."""
    names = tuple(sorted((*VARIABLES, JUDGE)))
    return Expression(text, names, is_condition=True, has_value=False)


def _expressions(test: WorkflowTest) -> Iterator[tuple[str, Expression]]:
    """Yield the expressions of a test with their places in it."""
    for position, text in enumerate(test.expect):
        yield f"expect[{position}]", expectation(text)
    for name, text in test.judge.inputs.items() if test.judge else ():
        yield f"judge.inputs.{name}", Expression(text, VARIABLES, has_value=False)


def _object(value: object, place: str, noun: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    shown = f"'{place}'" if place else noun.capitalize()
    raise InvalidBody(
        f"{shown} must be an object, not {kind_of(value)}", **({"field": place} if place else {})
    )


def _texts(value: object, place: str) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        message = f"'{place}' must be a list of texts: expressions in CEL"
        raise InvalidBody(message, field=place)
    if len(value) > MOST_EXPECTATIONS:
        message = f"'{place}' has {len(value)} expressions, and may have {MOST_EXPECTATIONS}"
        raise InvalidBody(message, field=place)
    return value


def _pinned(value: object, place: str) -> dict[str, Any]:
    pinned = _object(value, place)
    if all(isinstance(each, dict) for each in pinned.values()):
        return pinned
    message = f"'{place}' must be an object of objects: values by node and output socket"
    raise InvalidBody(message, field=place)


def _judge(value: object, place: str) -> dict[str, Any]:
    judge = _object(value, place)
    slug, inputs = judge.get("workflow"), _object(judge.get("inputs", {}), f"{place}.inputs")
    if not isinstance(slug, str) or not SLUG.fullmatch(slug):
        message = f"'{place}.workflow' must be the slug of a workflow"
        raise InvalidBody(message, field=f"{place}.workflow")
    if not all(isinstance(each, str) for each in inputs.values()):
        message = f"'{place}.inputs' must be an object of texts: expressions in CEL by input"
        raise InvalidBody(message, field=f"{place}.inputs")
    if len(inputs) > MOST_EXPECTATIONS:
        message = f"'{place}.inputs' has {len(inputs)} names, and may have {MOST_EXPECTATIONS}"
        raise InvalidBody(message, field=f"{place}.inputs")
    if reason := fault({"inputs": inputs}):
        raise InvalidBody(f"'{place}.inputs' {reason}", field=f"{place}.inputs")
    return {"workflow": slug, "inputs": inputs}
