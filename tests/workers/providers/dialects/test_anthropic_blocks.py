"""Chats with tools by Anthropic's protocol: requests, turns, and thoughts that go back."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import ChatMessage, ChatRole, ChatTurn
from engine.models.pricing import Usage
from tests.support.http.providers import KEY, Provider
from tests.support.models.chat_models import chat
from tests.support.models.chats import ASKED, FOUND, ORDER, QUESTION, answered, continue_chat
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

MODEL = chat("anthropic")
NAME = MODEL.internal_name
TEXT = {"type": "text", "text": "Let me look."}
CALL = {"type": "tool_use", "id": "c1", "name": "find-order", "input": {"number": "A-7"}}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "abc"}
HIDDEN = {"type": "redacted_thinking", "data": "xyz"}


def said(*content: Any, stop: str = "tool_use") -> dict[str, Any]:
    return {
        "content": list(content),
        "stop_reason": stop,
        "usage": {"input_tokens": 20, "output_tokens": 5},
    }


async def test_tools_and_messages_are_sent(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [said({"type": "text", "text": "On its way."}, stop="end_turn")]
    other = replace(FOUND, id="c2", name="refund")

    turn = await continue_chat(models, MODEL, answered(FOUND, other, text="Let me look."))

    assert turn == ChatTurn(text="On its way.", model=NAME)
    (asked,) = provider.asked
    assert asked.path == "/v1/messages"
    assert asked.body["system"] == "Be kind."
    assert asked.body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Where is order A-7?"}]},
        {"role": "assistant", "content": [TEXT, CALL, {**CALL, "id": "c2", "name": "refund"}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": made, "content": f"result of {made}"}
                for made in ("c1", "c2")
            ],
        },
    ]
    assert asked.body["tools"][0] == {
        "name": "find-order",
        "description": "Finds an order by its number",
        "input_schema": ORDER,
    }


async def test_a_turn_has_text_and_calls(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [said(TEXT, CALL)]

    turn = await continue_chat(models, MODEL, ASKED)

    assert turn == ChatTurn(text="Let me look.", calls=(FOUND,), model=NAME)


async def test_a_failed_call_and_one_without_a_text_are_told(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said(TEXT, stop="end_turn")]
    results = (
        ChatMessage(role=ChatRole.TOOL, text="not found", call_id="c1", is_error=True),
        ChatMessage(role=ChatRole.TOOL, call_id="c2"),
    )
    messages = (*answered(FOUND).messages[:2], *results)

    await continue_chat(models, MODEL, replace(ASKED, messages=messages))

    assert provider.asked[0].body["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": "not found", "is_error": True},
        {"type": "tool_result", "tool_use_id": "c2"},
    ]


async def test_signed_thoughts_go_back_before_the_calls(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said(THOUGHT, HIDDEN, TEXT, CALL)]

    turn = await continue_chat(models, MODEL, ASKED)
    await continue_chat(
        models, MODEL, answered(*turn.calls, text=turn.text, model=NAME, extra=turn.extra)
    )

    assert provider.asked[1].body["messages"][1]["content"] == [THOUGHT, HIDDEN, TEXT, CALL]


async def test_thoughts_go_to_no_other_model_and_never_with_a_key(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({**THOUGHT, "thinking": KEY}, CALL)]

    turn = await continue_chat(models, MODEL, ASKED)
    await continue_chat(models, MODEL, answered(FOUND, model="another", extra=(THOUGHT,)))

    assert turn.extra == ()
    assert provider.asked[1].body["messages"][1]["content"] == [CALL]


async def test_images_and_a_schema_go_where_they_belong(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said(TEXT, stop="end_turn")]
    user = replace(QUESTION, files=("https://a.example/1.png",))

    await continue_chat(models, MODEL, replace(ASKED, messages=(user,), schema={"type": "object"}))

    body = provider.asked[0].body
    assert body["messages"][0]["content"][0] == {
        "type": "image",
        "source": {"type": "url", "url": "https://a.example/1.png"},
    }
    assert body["output_config"]["format"]["schema"] == {"type": "object"}


@pytest.mark.parametrize("content", [[], [{"type": "thinking"}], [{"type": "text", "text": 1}]])
async def test_no_calls_and_no_text_are_a_bad_answer(
    models: ModelCaller, provider: Provider, content: Any
) -> None:
    provider.answers = [said(*content)]

    with pytest.raises(NodeFailed, match="neither a text nor calls"):
        await continue_chat(models, MODEL, ASKED)


async def test_a_refusal_and_an_answer_cut_before_anything_tell_so(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said(stop="refusal"), said(stop="max_tokens")]

    with pytest.raises(NodeFailed, match="refused to answer"):
        await continue_chat(models, MODEL, ASKED)
    with pytest.raises(NodeFailed, match="limit of tokens"):
        await continue_chat(models, MODEL, ASKED)


@pytest.mark.parametrize("arguments", [None, {}, "", "x", [1]])
async def test_arguments_of_any_form_are_taken(
    models: ModelCaller, provider: Provider, arguments: Any
) -> None:
    provider.answers = [said({**CALL, "input": arguments})]

    (call,) = (await continue_chat(models, MODEL, ASKED)).calls

    assert call.arguments == {}
    assert bool(call.fault) == (arguments in ("x", [1]))


async def test_usage_is_that_of_the_answer_within_the_most(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said(TEXT, stop="end_turn")]

    answer = await models.call(MODEL, {"maxTokens": 3}, ModelCall(chat=ASKED))

    assert answer.usage == Usage(calls=1, input_tokens=20, output_tokens=3)


async def test_blank_texts_and_ids_of_others_are_made_to_fit(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said(TEXT, stop="end_turn")]
    call = replace(FOUND, id="functions.find-order:0")
    failed = ChatMessage(role=ChatRole.TOOL, text=" ", call_id=call.id, is_error=True)
    messages = (*answered(call, text="\n\n").messages[:2], failed)

    await continue_chat(models, MODEL, replace(ASKED, messages=messages))

    made = "functions_find-order_0"
    assert [each["content"] for each in provider.asked[0].body["messages"][1:]] == [
        [{**CALL, "id": made}],
        [
            {
                "type": "tool_result",
                "tool_use_id": made,
                "content": "The call failed",
                "is_error": True,
            }
        ],
    ]
