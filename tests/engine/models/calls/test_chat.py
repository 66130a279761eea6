"""Chats and turns: their plain forms, and the message that a turn becomes."""

import json

import pytest

from engine.models.calls.chat import (
    Chat,
    ChatMessage,
    ChatRole,
    ChatTurn,
    ToolCall,
    ToolSpec,
    read_chat,
    read_turn,
    to_plain,
)
from engine.values.plain import fault

CALL = ToolCall(id="c1", name="find-order", arguments={"number": 7}, extra={"google": {"s": "x"}})
TURN = ChatTurn(text="Let me look.", calls=(CALL,), model="gpt", extra=({"type": "thinking"},))
CHAT = Chat(
    system="Be kind.",
    messages=(
        ChatMessage(role=ChatRole.USER, text="Where is it?", files=("https://a.example/a.png",)),
        TURN.message(),
        ChatMessage(role=ChatRole.TOOL, text="not found", call_id="c1", is_error=True),
    ),
    tools=(ToolSpec(name="find-order", description="Finds", parameters={"type": "object"}),),
    schema={"type": "object"},
)


def test_a_chat_survives_json() -> None:
    assert read_chat(json.loads(json.dumps(to_plain(CHAT)))) == CHAT


def test_a_turn_survives_json() -> None:
    assert read_turn(json.loads(json.dumps(to_plain(TURN)))) == TURN


def test_plain_forms_pass_an_edge() -> None:
    assert fault(to_plain(CHAT)) is None
    assert fault(to_plain(TURN)) is None


def test_plain_members_have_the_names_of_the_api() -> None:
    plain = to_plain(CHAT)["messages"][2]

    assert plain == {"role": "tool", "text": "not found", "callId": "c1", "isError": True}


def test_a_turn_becomes_the_message_of_the_assistant() -> None:
    message = TURN.message()

    assert (message.role, message.text, message.calls) == ("assistant", TURN.text, TURN.calls)
    assert (message.model, message.extra) == (TURN.model, TURN.extra)


@pytest.mark.parametrize("plain", [None, {}, {"messages": [{"role": "system"}]}, {"messages": 1}])
def test_a_value_of_another_form_is_no_chat(plain: object) -> None:
    with pytest.raises(ValueError, match="."):
        read_chat(plain)
