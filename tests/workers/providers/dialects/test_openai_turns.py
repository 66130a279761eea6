"""Chats with tools by OpenAI's protocol: requests, turns, and the shapes of other providers."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import ChatMessage, ChatRole, ChatTurn
from engine.models.pricing import Usage
from tests.support.http.providers import KEY, Provider
from tests.support.models.chat_models import BODY, chat
from tests.support.models.chats import ASKED, FOUND, ORDER, QUESTION, answered, continue_chat
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

MODEL = chat("openai")
NAME = MODEL.internal_name
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "find-order", "arguments": '{"number":"A-7"}'},
}


def said(message: Any, finish: str = "tool_calls") -> dict[str, Any]:
    return {
        "choices": [{"message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5},
    }


async def test_tools_and_messages_are_sent(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [said({"content": "It is on its way."}, "stop")]

    turn = await continue_chat(models, MODEL, answered(FOUND, text="Let me look."), maxTokens=50)

    assert turn == ChatTurn(text="It is on its way.", model=NAME)
    (asked,) = provider.asked
    assert asked.path == "/chat/completions"
    assert asked.body == {
        "model": "any",
        "max_tokens": 50,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Where is order A-7?"},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "result of c1"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": name, "description": about, "parameters": ORDER},
            }
            for name, about in (
                ("find-order", "Finds an order by its number"),
                ("refund", "Refunds an order"),
            )
        ],
    }


async def test_a_turn_has_text_and_calls(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [said({"content": "Let me look.", "tool_calls": [CALL]})]

    turn = await continue_chat(models, MODEL, ASKED)

    assert turn == ChatTurn(text="Let me look.", calls=(FOUND,), model=NAME)


async def test_a_failed_call_is_told_as_an_error(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [said({"content": "Sorry"}, "stop")]
    result = ChatMessage(role=ChatRole.TOOL, text="not found", call_id="c1", is_error=True)
    messages = (*answered(FOUND).messages[:2], result)

    await continue_chat(models, MODEL, replace(ASKED, messages=messages))

    assert provider.asked[0].body["messages"][-1]["content"] == "Error: not found"
    assert provider.asked[0].body["messages"][-2]["content"] is None


async def test_a_chat_without_tools_and_system_has_neither(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({"content": "Hello"}, "stop")]

    await continue_chat(models, MODEL, replace(ASKED, tools=(), system=""))

    assert "tools" not in provider.asked[0].body
    assert [each["role"] for each in provider.asked[0].body["messages"]] == ["user"]


async def test_images_and_a_schema_go_where_they_belong(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({"content": "{}"}, "stop")]
    user = replace(QUESTION, files=("https://a.example/1.png",))

    await continue_chat(models, MODEL, replace(ASKED, messages=(user,), schema={"type": "object"}))

    body = provider.asked[0].body
    assert body["messages"][-1]["content"] == [
        {"type": "text", "text": "Where is order A-7?"},
        {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}},
    ]
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_members_of_a_schema_that_providers_refuse_are_left_out(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({"content": "Hello"}, "stop")]
    tool = replace(ASKED.tools[0], parameters={"$schema": "x", "title": "T"})

    await continue_chat(models, MODEL, replace(ASKED, tools=(tool,)))

    (sent,) = provider.asked[0].body["tools"]
    expected = {"type": "object", "properties": {}, "title": "T"}
    assert sent["function"]["parameters"] == expected


# -- shapes of other providers --------------------------------------------------------------------


async def test_signed_thoughts_of_gemini_go_back_with_their_call(
    models: ModelCaller, provider: Provider
) -> None:
    signed = {"extra_content": {"google": {"thought_signature": "abc"}}}
    provider.answers = [said({"content": None, "tool_calls": [{**CALL, **signed}]}, "stop")]

    turn = await continue_chat(models, MODEL, ASKED)
    await continue_chat(models, MODEL, answered(*turn.calls, model=turn.model))

    assert turn.calls[0].extra == signed
    assert provider.asked[1].body["messages"][2]["tool_calls"] == [{**CALL, **signed}]


async def test_thoughts_go_back_with_the_message_of_the_calls(
    models: ModelCaller, provider: Provider
) -> None:
    message = {"content": "", "reasoning_content": "Hm", "tool_calls": [CALL]}
    provider.answers = [said(message)]

    turn = await continue_chat(models, MODEL, ASKED)
    await continue_chat(models, MODEL, answered(*turn.calls, model=NAME, extra=turn.extra))

    assert provider.asked[1].body["messages"][2]["reasoning_content"] == "Hm"


async def test_thoughts_of_one_model_go_to_no_other(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({"content": "Hello"}, "stop")]
    call = replace(FOUND, extra={"extra_content": {"google": {"thought_signature": "abc"}}})
    chat = answered(call, model="another", extra=({"reasoning_content": "Hm"},))

    await continue_chat(models, MODEL, chat)

    sent = provider.asked[0].body["messages"][2]
    assert sent == {"role": "assistant", "content": None, "tool_calls": [CALL]}


async def test_a_call_without_id_and_arguments_is_one(
    models: ModelCaller, provider: Provider
) -> None:
    odd = {"function": {"name": "find-order", "arguments": None}}
    provider.answers = [said({"tool_calls": [{**odd, "id": ""}, odd]}, "stop")]

    turn = await continue_chat(models, MODEL, ASKED)

    assert [(call.name, call.arguments, call.fault) for call in turn.calls] == [
        ("find-order", {}, "")
    ] * 2
    assert len({call.id for call in turn.calls}) == 2


async def test_arguments_may_come_as_an_object(models: ModelCaller, provider: Provider) -> None:
    called = {"id": "c1", "function": {"name": "find-order", "arguments": {"number": "A-7"}}}
    provider.answers = [said({"tool_calls": [called]})]

    assert (await continue_chat(models, MODEL, ASKED)).calls == (FOUND,)


@pytest.mark.parametrize("odd", [None, [], "x", [None], [{"id": "c1"}], [{"function": 1}]])
async def test_no_calls_and_no_text_are_a_bad_answer(
    models: ModelCaller, provider: Provider, odd: Any
) -> None:
    provider.answers = [said({"tool_calls": odd})]

    with pytest.raises(NodeFailed, match="neither a text nor calls") as raised:
        await continue_chat(models, MODEL, ASKED)

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"


async def test_a_refusal_is_a_rejection(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [said({"refusal": f"No {KEY}"})]

    with pytest.raises(NodeFailed, match=r"^No \[secret\]$") as raised:
        await continue_chat(models, MODEL, ASKED)

    assert raised.value.code == "PROVIDER_REJECTED"


async def test_an_answer_cut_before_anything_tells_so(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({"content": ""}, "length")]

    with pytest.raises(NodeFailed, match="limit of tokens"):
        await continue_chat(models, MODEL, ASKED)


async def test_a_key_in_a_call_goes_nowhere(models: ModelCaller, provider: Provider) -> None:
    called = {
        "id": "c1",
        "function": {"name": "refund", "arguments": f'{{"number": "{KEY}"}}'},
        "extra_content": {"note": KEY},
    }
    provider.answers = [said({"content": KEY, "tool_calls": [called]})]

    turn = await continue_chat(models, MODEL, ASKED)

    assert KEY not in repr(turn)
    assert turn.calls[0].extra == {}


# -- usage, and the system of the manifest --------------------------------------------------------


async def test_usage_is_that_of_the_answer_within_the_most(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said({"content": "Hello"}, "stop")]

    answer = await models.call(MODEL, {"maxTokens": 3}, ModelCall(chat=ASKED))

    assert answer.usage == Usage(calls=1, input_tokens=20, output_tokens=3)


@pytest.mark.parametrize(
    ("system", "sent"),
    [
        ("Be brief. {{ system }}", "Be brief. Be kind."),
        ("Be brief.", "Be brief.\n\nBe kind."),
    ],
)
async def test_the_system_of_the_manifest_is_kept(
    models: ModelCaller, provider: Provider, system: str, sent: str
) -> None:
    provider.answers = [said({"content": "Hello"}, "stop")]

    await continue_chat(models, chat("openai", f'{BODY}\nsystem = "{system}"'), ASKED)

    assert provider.asked[0].body["messages"][0] == {"role": "system", "content": sent}
