"""Streamed chats: the same result as without a stream."""

from typing import Any

import pytest
from aiohttp import web

from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.net.server_sent_events import MAX_EVENT_BYTES
from tests.support.http.providers import KEY, Provider
from tests.support.models.streams import (
    DONE,
    HELLO,
    MESSAGE,
    OVERLOADED,
    SAID,
    STOP,
    Listener,
    chat,
    claude,
    delta,
    fail,
    stream,
)

# -- answers --------------------------------------------------------------------------------------


async def test_usage_is_read_from_the_last_chunk(listener: Listener, provider: Provider) -> None:
    used = {"prompt_tokens": 11, "completion_tokens": 3}
    provider.answers = [
        stream(*({**each, "usage": None} for each in HELLO), {"choices": [], "usage": used}, DONE)
    ]

    answer = await listener.call(chat(), maxTokens=100)

    assert answer.usage == Usage(calls=1, input_tokens=11, output_tokens=3)


@pytest.mark.parametrize("choices", [None, [], [{"index": 0, "delta": {}}]])
async def test_of_several_reports_of_use_the_last_counts(
    listener: Listener, provider: Provider, choices: Any
) -> None:
    reports = [
        {"choices": choices, "usage": {"prompt_tokens": 11, "completion_tokens": number}}
        for number in (1, 2, 3)
    ]
    provider.answers = [stream(*HELLO, *reports, DONE)]

    answer = await listener.call(chat(), maxTokens=100)

    assert answer.usage == Usage(calls=1, input_tokens=11, output_tokens=3)


async def test_without_a_report_the_most_was_used(listener: Listener, provider: Provider) -> None:
    provider.answers = [stream(*HELLO, DONE)]

    answer = await listener.call(chat(), maxTokens=100)

    assert answer.usage == chat().max_usage({"prompt": "Say hello", "maxTokens": 100})


async def test_other_choices_and_parts_that_are_no_text_are_left_out(
    listener: Listener, provider: Provider
) -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "No"}, "finish_reason": "stop"}]}
    parts = delta([{"type": "text", "text": "Hel"}, {"type": "thinking"}])
    provider.answers = [stream(parts, other, delta("lo"), delta(tool_calls=[{}]), STOP, DONE)]

    assert (await listener.call(chat())).value == listener.text == "Hello"


async def test_a_streamed_refusal_is_a_rejection(listener: Listener, provider: Provider) -> None:
    provider.answers = [
        stream(delta(""), delta(refusal="I will "), delta(refusal="not."), STOP, DONE)
    ]

    failure = await fail(listener, chat())

    assert (failure.code, failure.message) == ("PROVIDER_REJECTED", "I will not.")
    assert listener.pieces == []


async def test_a_message_is_put_together(listener: Listener, provider: Provider) -> None:
    provider.answers = [stream(*MESSAGE)]

    answer = await listener.call(claude(), maxTokens=100)

    assert answer.value == "Hello" and listener.pieces == ["Hel", "lo"]
    assert answer.usage == Usage(calls=1, input_tokens=9, output_tokens=2)
    assert provider.asked[0].body["stream"] is True
    assert "stream_options" not in provider.asked[0].body


async def test_only_the_text_of_a_message_counts(listener: Listener, provider: Provider) -> None:
    start, opening, _, one, two, _, ending, stop = MESSAGE
    thoughts = [
        {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "x"}},
        {"type": "of_the_future", "text": "x"},
        ["no", "event"],
    ]
    opened = {"type": "content_block_start", "content_block": {"type": "text", "text": "! "}}
    provider.answers = [stream(start, *thoughts, opening, one, two, opened, one, ending, stop)]

    assert (await listener.call(claude())).value == listener.text == "Hello! Hel"


async def test_a_message_that_is_refused_is_a_rejection(
    listener: Listener, provider: Provider
) -> None:
    ending = {"type": "message_delta", "delta": {"stop_reason": "refusal"}, "usage": None}
    provider.answers = [stream(*MESSAGE[:4], ending, MESSAGE[-1])]

    assert (await fail(listener, claude())).code == "PROVIDER_REJECTED"


@pytest.mark.parametrize(
    ("model", "events"),
    [
        (chat(), [delta(None), STOP, DONE]),
        (chat(), [STOP, DONE]),
        (chat(), [DONE]),
        (claude(), [MESSAGE[0], *MESSAGE[-2:]]),
    ],
)
async def test_an_answer_without_a_text_is_a_bad_one(
    listener: Listener, provider: Provider, model: Model, events: list[Any]
) -> None:
    provider.answers = [stream(*events)]

    failure = await fail(listener, model)

    assert (failure.code, failure.retryable) == ("PROVIDER_BAD_RESPONSE", False)


async def test_an_empty_text_is_one(listener: Listener, provider: Provider) -> None:
    provider.answers = [stream(delta(""), STOP, DONE)]

    assert (await listener.call(chat())).value == ""
    assert listener.pieces == []  # since an empty piece restarts the text


async def test_an_answer_that_comes_whole_is_one_too(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [SAID]

    answer = await listener.call(chat(), maxTokens=100)

    assert answer.value == "Hello"
    assert answer.usage == Usage(calls=1, input_tokens=11, output_tokens=100)


# -- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "events"),
    [
        (chat(), [*HELLO, DONE]),
        (chat(), [*HELLO]),
        (chat(), [*HELLO[:-1], DONE]),
        (chat(), [*HELLO, "[DONE] ", delta("never")]),
        (claude(), MESSAGE),
        (claude(), MESSAGE[:-1]),
        (claude(), [*MESSAGE, MESSAGE[3]]),
    ],
)
async def test_an_answer_is_whole_where_it_says_so(
    listener: Listener, provider: Provider, model: Model, events: list[Any]
) -> None:
    provider.answers = [stream(*events)]

    assert (await listener.call(model)).value == listener.text == "Hello"


@pytest.mark.parametrize(
    ("model", "events"),
    [
        (chat(), HELLO[:-1]),
        (chat(), []),
        (claude(), MESSAGE[:-2]),
        (claude(), MESSAGE[:1]),
    ],
)
async def test_an_answer_that_does_not_is_asked_for_again(
    listener: Listener, provider: Provider, model: Model, events: list[Any]
) -> None:
    provider.answers = [stream(*events)]

    failure = await fail(listener, model)

    assert (failure.code, failure.retryable) == ("PROVIDER_BAD_RESPONSE", True)
    assert failure.message == "The provider's answer breaks off before its end"


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (OVERLOADED, "PROVIDER_UNAVAILABLE", True),
        (
            {"error": {"message": "Overloaded", "type": "server_error"}},
            "PROVIDER_UNAVAILABLE",
            True,
        ),
        ({"error": {"message": "Overloaded"}}, "PROVIDER_UNAVAILABLE", True),
        ({"error": "Overloaded"}, "PROVIDER_UNAVAILABLE", True),
        ({"error": {"message": "Overloaded", "code": 502}}, "PROVIDER_UNAVAILABLE", True),
        ({"error": {"message": "Overloaded", "code": "504"}}, "PROVIDER_TIMEOUT", True),
        ({"error": {"message": "Overloaded", "code": 7}}, "PROVIDER_UNAVAILABLE", True),
        (
            {"error": {"message": "Overloaded", "type": "tokens", "code": "rate_limit_exceeded"}},
            "PROVIDER_RATE_LIMITED",
            True,
        ),
        (
            {"type": "error", "error": {"type": "rate_limit_error", "message": "Overloaded"}},
            "PROVIDER_RATE_LIMITED",
            True,
        ),
        (
            {"error": {"message": "Overloaded", "type": "invalid_request_error", "code": None}},
            "PROVIDER_REJECTED",
            False,
        ),
    ],
)
@pytest.mark.parametrize("section", ["openai", "anthropic"])
async def test_an_error_in_the_middle_is_the_one_that_it_would_have_been_before(
    listener: Listener, provider: Provider, section: str, error: Any, code: str, retryable: bool
) -> None:
    began = HELLO[:2] if section == "openai" else MESSAGE[:4]
    provider.answers = [stream(*began, error, DONE)]

    failure = await fail(listener, chat(section=section))

    assert (failure.code, failure.retryable) == (code, retryable)
    assert failure.message == "Overloaded"
    assert listener.pieces == ["Hel"]


async def test_an_event_that_is_called_error_is_one(listener: Listener, provider: Provider) -> None:
    body = b'event: error\ndata: {"message": "At ' + KEY.encode() + b'"}\n\n'
    provider.answers = [web.Response(body=body, content_type="text/event-stream")]

    failure = await fail(listener, chat())

    assert (failure.code, failure.message) == ("PROVIDER_UNAVAILABLE", "At [secret]")


@pytest.mark.parametrize(
    "event",
    [
        b'{"choices": [',
        b"hello",
        b'{"choices": "\xff"}',
        b'{"choices": "\\ud800"}',
        b'{"choices": [{"delta": {"content": NaN}}]}',
        b'{"n": 1e999}',
        b"[" * 70 + b"]" * 70,
        b"[" * 100_000,
        b'{"n": 123456789012345678901234567890}',
        b'"' + b"x" * MAX_EVENT_BYTES + b'"',
    ],
    ids=lambda event: event[:40].decode(errors="replace"),
)
async def test_an_event_that_cannot_be_read_is_a_bad_response(
    listener: Listener, provider: Provider, event: bytes
) -> None:
    provider.answers = [stream(delta("Hel"), event, STOP, DONE)]

    failure = await fail(listener, chat())

    assert (failure.code, failure.retryable) == ("PROVIDER_BAD_RESPONSE", False)


async def test_events_of_another_content_type_are_no_answer(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [stream(*HELLO, DONE, content_type="text/html")]

    assert (await fail(listener, chat())).code == "PROVIDER_BAD_RESPONSE"
