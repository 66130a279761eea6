"""Whole chats with tools against the stub: each dialect, streamed or not, and odd calls."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.models.calls.chat import Chat, ChatMessage, ChatRole, ChatTurn
from engine.models.manifest import Model
from tests.support.models.chat_models import BODY, chat
from tests.support.models.chats import ASKED, QUESTION, continue_chat
from workers.providers.base import ignore_update
from workers.providers.model_caller import ModelCaller

ROOT = BODY.replace('"any"', '"claude"')
GEMINI = BODY.replace('"any"', '"gemini-flash"')
MODELS = {
    "openai": (chat("openai", BODY), "/v1"),
    "gemini": (chat("openai", GEMINI), "/v1"),
    "anthropic": (chat("anthropic", ROOT), ""),
}
EACH = pytest.mark.parametrize("dialect", list(MODELS))
STREAMED = pytest.mark.parametrize("is_streamed", [False, True])


@pytest.fixture
def stub_models(egress: Any, stub_url: str, dialect: str) -> ModelCaller:
    from tests.support.http.providers import MODEL_KEYS, Kept, calling

    place = stub_url + MODELS[dialect][1]
    return calling(egress, {"PROVIDER_URL": place, **MODEL_KEYS}, Kept())


async def talk(
    models: ModelCaller, model: Model, chat: Chat, *, is_streamed: bool, most: int = 6
) -> list[ChatTurn]:
    """Continue a chat until a turn has no calls; results of faulty calls are errors."""
    turns: list[ChatTurn] = []
    publish: Any = [].append if is_streamed else ignore_update
    while len(turns) < most:
        turn = await continue_chat(models, model, chat, publish, maxTokens=400)
        turns.append(turn)
        if not turn.calls:
            return turns
        results = (
            ChatMessage(
                role=ChatRole.TOOL,
                text=call.fault or "on its way",
                call_id=call.id,
                is_error=bool(call.fault),
            )
            for call in turn.calls
        )
        chat = replace(chat, messages=(*chat.messages, turn.message(), *results))
    return turns


def scripted(script: str) -> Chat:
    text = f"Where is order A-7? [[stub {script}]]"
    return replace(ASKED, messages=(replace(QUESTION, text=text),))


@EACH
@STREAMED
async def test_a_tool_is_called_and_its_result_told(
    stub_models: ModelCaller, dialect: str, *, is_streamed: bool
) -> None:
    first, last = await talk(stub_models, MODELS[dialect][0], ASKED, is_streamed=is_streamed)

    (call,) = first.calls
    assert (call.name, call.arguments, call.fault) == ("find-order", {"number": "A-7"}, "")
    assert first.text == "(stub) I call find-order."
    assert last.text == "(stub) find-order: on its way"


@EACH
@STREAMED
async def test_several_rounds_and_calls_side_by_side(
    stub_models: ModelCaller, dialect: str, *, is_streamed: bool
) -> None:
    chat = scripted("call=find-order+find-order|refund|find-order")

    turns = await talk(stub_models, MODELS[dialect][0], chat, is_streamed=is_streamed)

    assert [[call.name for call in turn.calls] for turn in turns] == [
        ["find-order", "find-order"],
        ["refund"],
        ["find-order"],
        [],
    ]
    ids = [call.id for turn in turns for call in turn.calls]
    assert len(set(ids)) == 4


@EACH
@STREAMED
@pytest.mark.parametrize("odd", ["twice", "no-id", "same-id", "null", "broken", "list", "cut"])
async def test_odd_calls_are_read_and_the_chat_goes_on(
    stub_models: ModelCaller, dialect: str, odd: str, *, is_streamed: bool
) -> None:
    chat = scripted(f"call=find-order+refund|find-order odd={odd}")

    turns = await talk(stub_models, MODELS[dialect][0], chat, is_streamed=is_streamed)

    assert [[call.name for call in turn.calls] for turn in turns[:2]] == [
        ["find-order", "refund"],
        ["find-order"],
    ]
    is_faulty = odd in ("broken", "list", "cut")
    assert [bool(call.fault) for call in turns[0].calls] == [is_faulty] * 2
    assert turns[-1].calls == () and turns[-1].text
