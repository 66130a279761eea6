"""Calls of tools in answers: arguments that are no object, ids that are missing or taken."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import ToolCall
from tests.support.models.chats import ASKED, FOUND, answered
from workers.providers.answers.tool_calls import CUT, MAX_CALLS, NO_NAME, RawCall, read_calls


def read(*raw: RawCall, chat: Any = ASKED, is_cut: bool = False) -> tuple[ToolCall, ...]:
    return read_calls(raw, chat, lambda text: text.replace("sk-1", "[secret]"), is_cut=is_cut)


def called(arguments: Any, made: Any = "c1", name: Any = "find-order") -> RawCall:
    return RawCall(id=made, name=name, arguments=arguments)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('{"number": "A-7"}', {"number": "A-7"}),
        ({"number": "A-7"}, {"number": "A-7"}),
        (None, {}),
        ("", {}),
        (" ", {}),
        ("null", {}),
        ("{}", {}),
        ({}, {}),
    ],
)
def test_arguments_are_an_object(arguments: Any, found: Any) -> None:
    (call,) = read(called(arguments))

    assert (call.arguments, call.fault) == (found, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"number": ', "not JSON"),
        ("number=7", "not JSON"),
        ("[1]", "a list, not an object"),
        ('"7"', "a text, not an object"),
        ([1], "a list, not an object"),
        (7, "a number, not an object"),
        ("[" * 5_000, "not JSON"),
        ('{"a":' * 60 + "1" + "}" * 60, "nested more than 64"),
        ('{"a": 36893488147419103232}', "integer over 64 bits"),
        ('{"a": "\\ud800"}', "not JSON"),
    ],
)
def test_other_arguments_come_back_to_the_model_as_a_fault(arguments: Any, words: str) -> None:
    (call,) = read(called(arguments))

    assert call.arguments == {}
    assert words in call.fault


def test_arguments_that_broke_off_are_told_as_such() -> None:
    (call,) = read(called('{"number": "A'), is_cut=True)

    assert call.fault == CUT


def test_secrets_of_providers_are_in_no_call() -> None:
    (call,) = read(called('{"key": "sk-1"}', name="sk-1"))

    assert call.arguments == {"key": "[secret]"}
    assert call.name == "_secret_"


@pytest.mark.parametrize("made", [None, "", 7, {"id": 1}])
def test_a_call_without_an_id_gets_one(made: Any) -> None:
    first, second = read(called("{}", made), called("{}", made))

    assert first.id and second.id and first.id != second.id


def test_an_id_of_an_earlier_turn_is_not_used_again() -> None:
    (call,) = read(called("{}", FOUND.id), chat=answered(FOUND))

    assert call.id not in ("", FOUND.id)


def test_a_call_that_comes_twice_counts_once() -> None:
    assert len(read(called("{}", "c1"), called("{}", "c1"))) == 1


def test_calls_that_differ_have_ids_of_their_own() -> None:
    calls = read(called('{"number": "1"}', "c1"), called('{"number": "2"}', "c1"))

    assert [call.arguments["number"] for call in calls] == ["1", "2"]
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize("name", [None, "", 5])
def test_a_call_without_a_name_is_a_fault(name: Any) -> None:
    (call,) = read(called("{}", name=name))

    assert (call.name, call.fault) == ("unnamed", NO_NAME)


def test_a_name_fits_the_providers() -> None:
    (call,) = read(called("{}", name="functions.find order" + "x" * 80))

    assert call.name == ("functions_find_order" + "x" * 80)[:64]


def test_too_many_calls_at_once_are_a_bad_answer() -> None:
    with pytest.raises(NodeFailed, match="more than 64") as raised:
        read(*(called("{}", f"c{n}") for n in range(MAX_CALLS + 1)))

    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_BAD_RESPONSE", True)
