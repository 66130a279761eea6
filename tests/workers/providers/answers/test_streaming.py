"""Streamed chats: the request, the published text, and its timing."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from engine.models.pricing import Usage
from engine.models.registry import use_models
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.providers import KEY, MODEL_KEYS, Provider, a_stub, calling
from tests.support.http.raw_server import Holding, answer, serving
from tests.support.models.chat_models import BODY
from tests.support.models.streams import (
    DONE,
    HELLO,
    OVERLOADED,
    SAID,
    Listener,
    chat,
    delta,
    fail,
    stream,
    wire,
)
from workers.outbound.client import Egress
from workers.providers import provider_client
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}


# -- requests -------------------------------------------------------------------------------------


async def test_a_stream_is_asked_for_when_the_text_is_published(
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
    assert listener.pieces == ["Hel", "lo"]


@pytest.mark.parametrize("section", ["openai", "anthropic"])
async def test_no_stream_is_asked_for_when_the_text_is_not_published(
    models: ModelCaller, provider: Provider, section: str
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

    answer = await listener.call(chat(f"{BODY}\nstream = false", section))

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


# -- time -----------------------------------------------------------------------------------------

HEAD = answer("Content-Type: text/event-stream", "Connection: close")[0]


async def test_text_is_published_as_it_comes(egress: Egress) -> None:
    async with serving(Holding(HEAD, wire(delta("Hel")))) as stub:
        listener = Listener(calling(egress, MODEL_KEYS | {"PROVIDER_URL": stub.url}))
        call = asyncio.create_task(listener.call(chat()))

        async def pieces() -> list[str]:
            return listener.pieces

        assert await eventually(pieces, bool) == ["Hel"]
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(stub.has_gone.wait(), PATIENCE_SECONDS)


async def test_a_complete_answer_need_not_close_the_connection(egress: Egress) -> None:
    async with serving(Holding(HEAD, wire(*HELLO, DONE))) as stub:
        listener = Listener(calling(egress, MODEL_KEYS | {"PROVIDER_URL": stub.url}))

        answer = await asyncio.wait_for(listener.call(chat()), PATIENCE_SECONDS)

    assert answer.value == "Hello"


async def test_a_stream_that_falls_silent_is_given_up(
    egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_client, "IDLE_SECONDS", 1.0)
    async with serving(Holding(HEAD, wire(delta("Hel")))) as stub:
        listener = Listener(calling(egress, MODEL_KEYS | {"PROVIDER_URL": stub.url}))
        failure = await asyncio.wait_for(fail(listener, chat()), PATIENCE_SECONDS)

    assert (failure.code, failure.retryable) == ("PROVIDER_TIMEOUT", True)
    assert failure.message == "The provider: Nothing more came for 1 s"


# -- other models, and the stub -------------------------------------------------------------------


async def test_the_text_restarts_when_another_model_answers(
    egress: Egress, provider: Provider
) -> None:
    provider.answers = [stream(delta("Goo"), OVERLOADED), stream(*HELLO, DONE)]
    first, second = chat(head='fallback = ["other"]'), chat(name="other")
    listener = Listener(calling(egress, provider.environ))

    with use_models([first, second]):
        answer = await listener.call(first)

    assert answer.value == "Hello"
    assert listener.pieces == ["Goo", "", "Hel", "lo"]


@pytest.mark.parametrize(("section", "path"), [("openai", "/v1"), ("anthropic", "")])
@pytest.mark.parametrize(
    "values",
    [{}, {"jsonSchema": SCHEMA}, {"maxTokens": 2}, {"prompt": "Schönes 😀 Wetter " * 50}],
    ids=["plain", "schema", "cut", "long"],
)
async def test_the_stub_streams_the_text_of_its_whole_answer(
    egress: Egress, stub_url: str, section: str, path: str, values: dict[str, Any]
) -> None:
    environ = {"PROVIDER_URL": stub_url + path, "PROVIDER_KEY": KEY}
    listener, model = Listener(calling(egress, environ)), chat(section=section)
    asked = {"prompt": "Say hello", "maxTokens": 400, **values}

    streamed = await listener.call(model, **asked)
    whole = await listener.models.call(model, asked, ModelCall())

    assert streamed == whole
    assert streamed.value == listener.text
    assert len(listener.pieces) > 1


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
