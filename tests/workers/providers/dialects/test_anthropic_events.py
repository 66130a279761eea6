"""Streamed messages with tools: blocks are joined of their pieces."""

from typing import Any

import pytest

from engine.models.calls.chat import ChatTurn
from tests.support.http.providers import Provider
from tests.support.models.chats import ASKED, FOUND, continue_chat
from tests.support.models.streams import MESSAGE, claude, stream
from workers.providers.model_caller import ModelCaller

MODEL = claude()
START, STOP = MESSAGE[0], MESSAGE[-1]


def block(index: int, kind: str, *deltas: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Return the events of a block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": {"type": kind, **more}},
        *({"type": "content_block_delta", "index": index, "delta": each} for each in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def ending(reason: str = "tool_use") -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {}}


def text(piece: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": piece}


def arguments(piece: str) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": piece}


def call(index: int, made: str, *pieces: str) -> list[dict[str, Any]]:
    deltas = map(arguments, pieces)
    return block(index, "tool_use", *deltas, id=made, name="find-order", input={})


async def test_text_is_published_and_calls_and_thoughts_are_joined(
    models: ModelCaller, provider: Provider
) -> None:
    thoughts = block(
        0,
        "thinking",
        {"type": "thinking_delta", "thinking": "H"},
        {"type": "thinking_delta", "thinking": "m"},
        {"type": "signature_delta", "signature": "abc"},
        thinking="",
        signature="",
    )
    provider.answers = [
        stream(
            START,
            *thoughts,
            *block(1, "redacted_thinking", data="xyz"),
            *block(2, "text", text("Let me "), text("look."), text=""),
            *call(3, "c1", "", '{"num', 'ber": "A-7"}'),
            ending(),
            STOP,
        )
    ]
    pieces: list[str] = []

    turn = await continue_chat(models, MODEL, ASKED, pieces.append)

    assert pieces == ["Let me ", "look."]
    assert turn == ChatTurn(
        text="Let me look.",
        calls=(FOUND,),
        model=MODEL.internal_name,
        extra=(
            {"type": "thinking", "thinking": "Hm", "signature": "abc"},
            {"type": "redacted_thinking", "data": "xyz"},
        ),
    )


async def test_several_calls_and_one_without_arguments(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [
        stream(START, *call(0, "c1", '{"number": "1"}'), *call(1, "c2"), ending(), STOP)
    ]

    turn = await continue_chat(models, MODEL, ASKED, [].append)

    assert [(each.id, each.arguments) for each in turn.calls] == [
        ("c1", {"number": "1"}),
        ("c2", {}),
    ]


@pytest.mark.parametrize(
    ("reason", "words"), [("max_tokens", "broke off"), ("tool_use", "not JSON")]
)
async def test_arguments_that_are_no_json_are_a_fault(
    models: ModelCaller, provider: Provider, reason: str, words: str
) -> None:
    provider.answers = [stream(START, *call(0, "c1", '{"num'), ending(reason), STOP)]

    (found,) = (await continue_chat(models, MODEL, ASKED, [].append)).calls

    assert words in found.fault


async def test_pieces_without_a_block_are_left_out(models: ModelCaller, provider: Provider) -> None:
    stray = {"type": "content_block_delta", "index": 5, "delta": arguments("{}")}
    odd = {"type": "content_block_delta", "index": 5, "delta": {"type": ["x"], "text": 1}}
    provider.answers = [stream(START, stray, odd, *call(0, "c1", "{}"), ending(), STOP)]

    assert len((await continue_chat(models, MODEL, ASKED, [].append)).calls) == 1
