"""Chats that are streamed: whole in the end as if they were not, and told as they come."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from engine.failures import NodeFailed
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from tests.eventually import eventually
from tests.http_stub import Holding, answer, serving
from tests.manifests import PROMPT
from tests.providers import KEY, MODEL_KEYS, Provider, a_stub, calling, provided
from tests.workers.models.streams import DONE, STOP, Listener, delta, stream, wire
from workers.http import Egress
from workers.models import Errand, Models, line
from workers.models.events import MAX_EVENT_BYTES
from workers.models.secrets import Veil

FIELDS = f"""{PROMPT}
[[fields]]
name = "jsonSchema"
type = "json"

[[fields]]
name = "maxTokens"
type = "number"
max = 500
"""
PRICING = """
[[pricing]]
unit = "input_token"
usd = "0.000001"
atMost = 1000

[[pricing]]
unit = "output_token"
usd = "0.000002"
field = "maxTokens"
"""
MORE = '\nmodel = "any"\nbody = { max_tokens = "{{ maxTokens }}" }'
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}
SAID = {"choices": [{"message": {"content": "Hello"}}], "usage": {"prompt_tokens": 11}}
HELLO = (delta(""), delta("Hel"), delta("lo"), STOP)
MESSAGE = (
    {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
)


@pytest.fixture
def listener(models: Models) -> Listener:
    return Listener(models)


def chat(more: str = MORE, section: str = "openai", **parts: str) -> Model:
    return provided(section, more, fields=FIELDS, pricing=PRICING, **parts)


def claude(more: str = MORE) -> Model:
    return chat(more, "anthropic")


async def fail(listener: Listener, model: Model) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await listener.call(model)
    return raised.value


# -- what is asked for ----------------------------------------------------------------------------


async def test_a_stream_is_asked_for_where_somebody_takes_the_text(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [stream(*HELLO, DONE)]

    assert (await listener.call(chat())).value == "Hello"

    (asked,) = provider.asked
    assert asked.body == {
        "model": "any",
        "messages": [{"role": "user", "content": "Say hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert asked.headers["Accept"] == "text/event-stream, application/json"
    assert listener.told == ["Hel", "lo"]


@pytest.mark.parametrize("section", ["openai", "anthropic"])
async def test_where_nobody_does_no_stream_is_asked_for(
    models: Models, provider: Provider, section: str
) -> None:
    provider.answers = [SAID | {"content": [{"type": "text", "text": "Hello"}]}]

    answer = await models.call(chat(section=section), {"prompt": "x"})

    assert answer.value == "Hello"
    assert "stream" not in provider.asked[0].body


@pytest.mark.parametrize("section", ["openai", "anthropic"])
async def test_a_manifest_may_say_that_nothing_is_streamed(
    listener: Listener, provider: Provider, section: str
) -> None:
    provider.answers = [SAID | {"content": [{"type": "text", "text": "Hello"}]}]

    answer = await listener.call(chat(f"{MORE}\nstream = false", section))

    assert answer.value == "Hello"
    assert "stream" not in provider.asked[0].body


async def test_a_manifest_may_have_options_of_its_own(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [stream(*HELLO, DONE)]

    await listener.call(chat('\nmodel = "m"\nbody = { stream_options = { other = 1 } }'))

    assert provider.asked[0].body["stream_options"] == {"other": 1}


@pytest.mark.parametrize("status", [400, 422])
async def test_a_provider_that_knows_no_such_wish_is_asked_without_it(
    listener: Listener, provider: Provider, status: int
) -> None:
    refusal = web.json_response({"detail": [{"loc": ["body", "stream_options"]}]}, status=status)
    provider.answers = [refusal, SAID]

    answer = await listener.call(chat(), maxTokens=100)

    assert answer.value == "Hello"
    assert answer.usage == Usage(calls=1, input_tokens=11, output_tokens=100)
    assert [sorted(each.body) for each in provider.asked] == [
        ["max_tokens", "messages", "model", "stream", "stream_options"],
        ["max_tokens", "messages", "model"],
    ]


async def test_a_provider_that_refuses_something_else_is_not_asked_again(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [web.json_response({"error": "Too long"}, status=400), SAID]

    failure = await fail(listener, chat())

    assert (failure.code, failure.message) == ("PROVIDER_REJECTED", "Too long")
    assert len(provider.asked) == 1


# -- what comes back ------------------------------------------------------------------------------


async def test_what_was_used_stands_in_the_last_chunk(
    listener: Listener, provider: Provider
) -> None:
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

    assert answer.usage == chat().most({"prompt": "Say hello", "maxTokens": 100})


async def test_other_choices_and_parts_that_are_no_text_are_left_out(
    listener: Listener, provider: Provider
) -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "No"}, "finish_reason": "stop"}]}
    parts = delta([{"type": "text", "text": "Hel"}, {"type": "thinking"}])
    provider.answers = [stream(parts, other, delta("lo"), delta(tool_calls=[{}]), STOP, DONE)]

    assert (await listener.call(chat())).value == listener.text == "Hello"


async def test_a_refusal_is_put_together_and_told_as_one(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [
        stream(delta(""), delta(refusal="I will "), delta(refusal="not."), STOP, DONE)
    ]

    failure = await fail(listener, chat())

    assert (failure.code, failure.message) == ("PROVIDER_REJECTED", "I will not.")
    assert listener.told == []


async def test_a_message_is_put_together(listener: Listener, provider: Provider) -> None:
    provider.answers = [stream(*MESSAGE)]

    answer = await listener.call(claude(), maxTokens=100)

    assert answer.value == "Hello" and listener.told == ["Hel", "lo"]
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
    assert listener.told == []  # for an empty piece means that the text begins anew


async def test_an_answer_that_comes_whole_is_one_too(
    listener: Listener, provider: Provider
) -> None:
    provider.answers = [SAID]

    answer = await listener.call(chat(), maxTokens=100)

    assert answer.value == "Hello"
    assert answer.usage == Usage(calls=1, input_tokens=11, output_tokens=100)


# -- where it ends --------------------------------------------------------------------------------


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


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


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
    assert listener.told == ["Hel"]


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


# -- time -----------------------------------------------------------------------------------------

HEAD = answer("Content-Type: text/event-stream", "Connection: close")[0]


async def test_what_has_come_is_told_before_there_is_more(egress: Egress) -> None:
    async with serving(Holding(HEAD, wire(delta("Hel")))) as stub:
        listener = Listener(calling(egress, MODEL_KEYS | {"PROVIDER_URL": stub.url}))
        call = asyncio.create_task(listener.call(chat()))

        async def told() -> list[str]:
            return listener.told

        assert await eventually(told, bool) == ["Hel"]
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(stub.has_gone.wait(), 1)


async def test_who_has_said_all_need_not_hang_up(egress: Egress) -> None:
    async with serving(Holding(HEAD, wire(*HELLO, DONE))) as stub:
        listener = Listener(calling(egress, MODEL_KEYS | {"PROVIDER_URL": stub.url}))

        answer = await asyncio.wait_for(listener.call(chat()), 2)

    assert answer.value == "Hello"


async def test_a_stream_that_falls_silent_is_given_up(
    egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "SILENT_SECONDS", 0.1)
    async with serving(Holding(HEAD, wire(delta("Hel")))) as stub:
        listener = Listener(calling(egress, MODEL_KEYS | {"PROVIDER_URL": stub.url}))
        failure = await asyncio.wait_for(fail(listener, chat()), 5)

    assert (failure.code, failure.retryable) == ("PROVIDER_TIMEOUT", True)
    assert failure.message == "The provider: Nothing more came for 0.1 s"


# -- secrets --------------------------------------------------------------------------------------


async def test_a_key_that_comes_in_pieces_is_told_to_nobody(
    listener: Listener, provider: Provider
) -> None:
    pieces = [delta(KEY[at : at + 3]) for at in range(0, len(KEY), 3)]
    provider.answers = [stream(delta("My key: "), *pieces, delta(". Or sk-te"), STOP, DONE)]

    answer = await listener.call(chat())

    assert answer.value == "My key: [secret]. Or sk-te"
    assert listener.told == ["My key: ", "[secret]", ". Or ", "sk-te"]


SECRETS = ["abcab", "abxyz", "abca", "xx/y", "zz"]
"""One begins another, one ends as another begins, one is written otherwise in URLs."""


@given(st.lists(st.sampled_from([*"abcxyz/% ", "abcab", "abxyz", "xx/y", "xx%2Fy"]), max_size=20))
def test_wherever_pieces_end_what_is_told_is_the_same(pieces: list[str]) -> None:
    text, whole, veil = "".join(pieces), Veil(SECRETS), Veil(SECRETS)

    told = [veil.take(letter) for letter in text]

    assert "".join(told) + veil.rest() == whole.take(text) + whole.rest()


@given(st.lists(st.sampled_from([*"abcxyz", "abcab", "abxyz", "xx/y", "xx%2Fy"]), max_size=20))
def test_no_secret_is_told_in_whatever_pieces(pieces: list[str]) -> None:
    veil = Veil(SECRETS)

    told = "".join(map(veil.take, pieces)) + veil.rest()

    assert not any(secret in told for secret in ("abcab", "abxyz", "abca", "xx/y", "xx%2Fy"))


def test_nothing_is_held_back_that_cannot_become_a_secret() -> None:
    veil = Veil(["secret-key"])

    assert [veil.take(each) for each in ("a", "se", "cond", "sec", "ret-key", ".")] == [
        "a",
        "",
        "second",
        "",
        "[secret]",
        ".",
    ]


# -- other models, and the stub -------------------------------------------------------------------


async def test_where_another_model_answers_the_text_begins_anew(
    egress: Egress, provider: Provider
) -> None:
    provider.answers = [stream(delta("Goo"), OVERLOADED), stream(*HELLO, DONE)]
    first, second = chat(head='fallback = ["other"]'), chat(name="other")
    listener = Listener(calling(egress, provider.environ))

    with use_models([first, second]):
        answer = await listener.call(first)

    assert answer.value == "Hello"
    assert listener.told == ["Goo", "", "Hel", "lo"]


@pytest.mark.parametrize(("section", "path"), [("openai", "/v1"), ("anthropic", "")])
@pytest.mark.parametrize(
    "values",
    [{}, {"jsonSchema": SCHEMA}, {"maxTokens": 2}, {"prompt": "Schönes 😀 Wetter " * 50}],
    ids=["plain", "schema", "cut", "long"],
)
async def test_the_stub_streams_what_it_says_whole(
    egress: Egress, stub_url: str, section: str, path: str, values: dict[str, Any]
) -> None:
    environ = {"PROVIDER_URL": stub_url + path, "PROVIDER_KEY": KEY}
    listener, model = Listener(calling(egress, environ)), chat(section=section)
    asked = {"prompt": "Say hello", "maxTokens": 400, **values}

    streamed = await listener.call(model, **asked)
    whole = await listener.models.call(model, asked, Errand())

    assert streamed == whole
    assert streamed.value == listener.text
    assert len(listener.told) > 1


@pytest.mark.parametrize(
    ("section", "script", "code", "retryable"),
    [
        ("openai", "garbage", "PROVIDER_BAD_RESPONSE", True),
        ("openai", "cut", "PROVIDER_UNAVAILABLE", True),
        ("openai", "fail=429;retry-after=3", "PROVIDER_RATE_LIMITED", True),
        ("openai", "stream-error", "PROVIDER_UNAVAILABLE", True),
        ("anthropic", "stream-error", "PROVIDER_UNAVAILABLE", True),
    ],
)
async def test_streams_that_are_broken(
    egress: Egress, section: str, script: str, code: str, retryable: bool
) -> None:
    async with a_stub(script) as url:
        place = f"{url}/v1" if section == "openai" else url
        environ = {"PROVIDER_URL": place, "PROVIDER_KEY": KEY}
        failure = await fail(Listener(calling(egress, environ)), chat(section=section))

    assert (failure.code, failure.retryable) == (code, retryable)
    assert failure.retry_after == (3.0 if "429" in script else 0.0)
