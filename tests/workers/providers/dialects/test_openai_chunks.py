"""Streamed chats with tools: calls are joined of their pieces, however providers cut them."""

from typing import Any

import pytest

from tests.support.http.providers import Provider
from tests.support.models.chats import ASKED, FOUND, continue_chat
from tests.support.models.streams import DONE, chat, delta, stream
from workers.providers.model_caller import ModelCaller

MODEL = chat()
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


def piece(
    index: int | None = 0, made: Any = None, name: Any = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    """Return a chunk with a piece of a call."""
    function = {"name": name, "arguments": arguments}
    call = {"function": {key: each for key, each in function.items() if each is not None}, **more}
    call |= {} if made is None else {"id": made}
    return delta(tool_calls=[call if index is None else {"index": index, **call}])


async def calls_of(models: ModelCaller, provider: Provider, *chunks: Any) -> list[tuple[str, Any]]:
    """Return names and arguments of the calls in a stream."""
    provider.answers = [stream(*chunks, STOP, DONE)]
    turn = await continue_chat(models, MODEL, ASKED, [].append)
    assert len({call.id for call in turn.calls}) == len(turn.calls)
    assert not any(call.fault for call in turn.calls)
    return [(call.name, call.arguments) for call in turn.calls]


async def test_text_is_published_and_calls_are_joined(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [
        stream(
            delta("Let me "),
            delta("look."),
            piece(0, "c1", "find-order", ""),
            piece(0, arguments='{"num'),
            piece(0, arguments='ber": "A-7"}'),
            STOP,
            {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 5}},
            DONE,
        )
    ]
    pieces: list[str] = []

    turn = await continue_chat(models, MODEL, ASKED, pieces.append)

    assert (turn.text, turn.calls) == ("Let me look.", (FOUND,))
    assert pieces == ["Let me ", "look."]
    assert provider.asked[0].body["stream"] is True


A, B = ("find-order", {"number": "1"}), ("find-order", {"number": "2"})
ONE, TWO = '{"number": "1"}', '{"number": "2"}'


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            [piece(0, "a", "find-order", ONE), piece(1, "b", "find-order", TWO)], id="by index"
        ),
        pytest.param(
            [
                piece(0, "a", "find-order"),
                piece(1, "b", "find-order"),
                piece(1, arguments=TWO[:5]),
                piece(0, arguments=ONE),
                piece(1, arguments=TWO[5:]),
            ],
            id="in turn",
        ),
        pytest.param(
            [piece(0, "a", "find-order", ONE), piece(0, "b", "find-order", TWO)],
            id="one index, two ids",
        ),
        pytest.param(
            [piece(0, "", "find-order", ONE), piece(0, "", "find-order", TWO)],
            id="one index, no ids",
        ),
        pytest.param(
            [piece(None, None, "find-order", ONE), piece(None, None, "find-order", TWO)],
            id="no index, no ids",
        ),
        pytest.param(
            [
                piece(0, "a", "find-order", ONE[:4]),
                piece(0, "a", "find-order", ONE[4:]),
                piece(1, "b", "find-order", TWO),
            ],
            id="names and ids in each piece",
        ),
        pytest.param(
            [
                piece(0, "a", "find-order", {"number": "1"}),
                piece(1, "b", "find-order", {"number": "2"}),
            ],
            id="arguments as objects",
        ),
        pytest.param(
            [
                piece(0, "a", "find-", ""),
                piece(0, None, "order", ONE),
                piece(1, "b", "find-order", TWO),
            ],
            id="a name in pieces",
        ),
        pytest.param(
            [
                piece(0, "a", "find-order", ONE),
                piece(0, "a", "find-order", ONE),
                piece(1, "b", "find-order", TWO),
            ],
            id="a call twice",
        ),
    ],
)
async def test_calls_are_told_apart(
    models: ModelCaller, provider: Provider, chunks: list[Any]
) -> None:
    assert await calls_of(models, provider, *chunks) == [A, B]


async def test_signatures_and_thoughts_of_a_stream_are_kept(
    models: ModelCaller, provider: Provider
) -> None:
    signed = {"google": {"thought_signature": "abc"}}
    provider.answers = [
        stream(
            delta(reasoning_content="H"),
            delta(reasoning_content="m", reasoning_details=[{"text": "Hm"}]),
            piece(0, "c1", "find-order", '{"number": "A-7"}', extra_content=signed),
            STOP,
            DONE,
        )
    ]

    turn = await continue_chat(models, MODEL, ASKED, [].append)

    assert turn.calls[0].extra == {"extra_content": signed}
    thoughts = {"reasoning_content": "Hm", "reasoning_details": [{"text": "Hm"}]}
    assert turn.extra == (thoughts,)


async def test_arguments_that_break_off_are_a_fault(
    models: ModelCaller, provider: Provider
) -> None:
    cut = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    provider.answers = [stream(piece(0, "c1", "find-order", '{"num'), cut, DONE)]

    (call,) = (await continue_chat(models, MODEL, ASKED, [].append)).calls

    assert "broke off" in call.fault


@pytest.mark.parametrize("odd", [{}, None, 1, {"function": None}, {"function": {"name": 5}}])
async def test_pieces_of_another_form_are_left_out(
    models: ModelCaller, provider: Provider, odd: Any
) -> None:
    assert await calls_of(
        models, provider, delta(tool_calls=[odd]), piece(1, "b", "find-order", TWO)
    ) == [B]
