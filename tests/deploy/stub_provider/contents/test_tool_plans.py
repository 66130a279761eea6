"""Calls of tools by rule: the choice of tools, and arguments from prompts and earlier results."""

from typing import Any

import pytest

from deploy.stub_provider.contents.tool_plans import (
    OfferedTool,
    PastCall,
    ToolChat,
    choose_tools,
    make_arguments,
    plan_calls,
    tell_results,
)
from deploy.stub_provider.script import CallScript

FIND = OfferedTool(
    name="find-order",
    description="Finds an order by its number: status, items and price.",
    parameters={
        "type": "object",
        "properties": {"orderNumber": {"type": "string"}, "note": {"type": "string"}},
        "required": ["orderNumber"],
    },
)
REFUND = OfferedTool(
    name="refund-order",
    description="Pays the money for an order back.",
    parameters={
        "type": "object",
        "properties": {
            "orderNumber": {"type": "string"},
            "amount": {"type": "number"},
            "reason": {"type": "string"},
        },
        "required": ["orderNumber", "amount"],
    },
)
FOUND = PastCall(name="find-order", result='{"orderNumber": "A-17", "amount": 24.5}')


def chat(prompt: str, *rounds: Any, system: str = "") -> ToolChat:
    return ToolChat(prompt=prompt, system=system, tools=(FIND, REFUND), rounds=rounds)


@pytest.mark.parametrize(
    ("prompt", "tools"),
    [
        ("Use refund-order, then find-order.", ["refund-order", "find-order"]),
        ("What is the status of A-17?", ["find-order"]),
        ("Where is my order A-17?", ["find-order"]),
        ("I want my money back for order A-17", ["refund-order"]),
        ("Which status, and is money paid?", ["find-order", "refund-order"]),
        ("Hello there", []),
        ("my find-orders are none", ["find-order"]),
    ],
)
def test_a_prompt_leads_to_the_tools_that_it_names_or_fits(prompt: str, tools: list[str]) -> None:
    assert choose_tools(chat(prompt)) == tools


@pytest.mark.parametrize(
    "system",
    ["Call find-order first.", "Be kind. First look the order up with find-order; then go"],
)
def test_instructions_may_name_the_first_tool(system: str) -> None:
    assert choose_tools(chat("I want my money back", system=system)) == [
        "find-order",
        "refund-order",
    ]
    assert choose_tools(chat("Hello there", system=system)) == []


def test_tools_are_called_one_after_the_other_and_once() -> None:
    prompt = "Which status, and is money paid?"
    none = CallScript()

    first = plan_calls(chat(prompt), none)
    second = plan_calls(chat(prompt, [FOUND]), none)
    third = plan_calls(chat(prompt, [FOUND], [PastCall(name="refund-order", result="x")]), none)

    assert [[each.name for each in planned] for planned in (first, second, third)] == [
        ["find-order"],
        ["refund-order"],
        [],
    ]


def test_arguments_come_from_the_prompt() -> None:
    assert make_arguments(FIND, chat("Where is order #A-17?")) == {"orderNumber": "A-17"}
    assert make_arguments(FIND, chat("order number: B-2; note: soon")) == {
        "orderNumber": "B-2",
        "note": "soon",
    }


def test_arguments_come_from_earlier_results() -> None:
    prompt = "I want my money back, reason: it is broken"

    assert make_arguments(REFUND, chat(prompt, [FOUND])) == {
        "orderNumber": "A-17",
        "amount": 24.5,
    }


def test_without_required_arguments_the_first_is_made() -> None:
    search = OfferedTool(
        name="search",
        parameters={"properties": {"text": {"type": "string"}, "limit": {"type": "integer"}}},
    )

    assert make_arguments(search, chat("kettles")) == {"text": "kettles"}
    assert make_arguments(search, chat("limit: 3")) == {"limit": 3}


def test_a_failed_result_gives_no_arguments() -> None:
    failed = PastCall(name="find-order", result='{"amount": 5}', is_error=True)

    made = make_arguments(REFUND, chat("money back for A-1; amount: 3", [failed]))

    assert made == {"orderNumber": "A-1", "amount": 3}


@pytest.mark.parametrize("parameters", [{}, {"type": "object"}, {"properties": 1}])
def test_a_tool_without_parameters_gets_none(parameters: Any) -> None:
    assert make_arguments(OfferedTool(name="x", parameters=parameters), chat("Hello")) == {}


@pytest.mark.parametrize(
    ("script", "done", "names"),
    [
        ("a+b|c", 0, ["a", "b"]),
        ("a+b|c", 1, ["c"]),
        ("a+b|c", 2, []),
        ("a|c*", 7, ["c"]),
    ],
)
def test_a_script_says_which_tools_are_called(script: str, done: int, names: list[str]) -> None:
    planned = plan_calls(chat("Hello", *[[FOUND]] * done), CallScript(call=script))

    assert [each.name for each in planned] == names


def test_the_answer_tells_the_results() -> None:
    failed = PastCall(name="refund-order", result="no", is_error=True)

    assert tell_results(chat("x", [FOUND], [failed])) == (
        f"(stub) find-order: {FOUND.result}\nrefund-order failed: no"
    )
