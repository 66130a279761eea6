"""Anthropic's Messages: against the stub, and against invalid answers."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.pricing import Usage
from tests.support.http.providers import KEY, Provider
from tests.support.models import chat_models
from tests.support.models.chat_models import BODY
from workers.providers.model_caller import ModelCaller

MORE = BODY.replace('"any"', '"claude"')
SAID = {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}


def chat(more: str = MORE) -> Model:
    return chat_models.chat("anthropic", more)


async def call_model(models: ModelCaller, **values: Any) -> Any:
    return (await models.call(chat(), {"prompt": "Say hello", **values})).value


async def test_a_message_has_its_key_and_version_in_headers_of_its_own(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [SAID]

    assert await call_model(models, maxTokens=5) == "Hello"

    (asked,) = provider.asked
    assert (asked.method, asked.path) == ("POST", "/v1/messages")
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in asked.headers
    assert asked.body == {
        "model": "claude",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello"}]}],
    }


async def test_the_length_is_always_said_and_a_manifest_may_say_another_version(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [SAID]
    more = '\nmodel = "claude"\nheaders = { anthropic-version = "2030-01-01" }'

    await models.call(chat(more), {"prompt": "x"})

    assert provider.asked[0].body["max_tokens"] == 4096
    assert provider.asked[0].headers.get("anthropic-version") == "2030-01-01"


async def test_system_pictures_and_schema_go_where_they_belong(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [SAID]
    url, schema = "https://a.example/1.png", {"type": "object"}

    await call_model(models, system="Be brief", photo=url, jsonSchema=schema)

    body = provider.asked[0].body
    assert body["system"] == "Be brief"
    assert body["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": url}},
        {"type": "text", "text": "Say hello"},
    ]
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


async def test_texts_are_put_together_and_other_blocks_left_out(
    models: ModelCaller, provider: Provider
) -> None:
    blocks = [{"type": "thinking", "thinking": "…"}, *SAID["content"], *SAID["content"]]
    provider.answers = [{"content": blocks, "usage": {"input_tokens": 9, "output_tokens": 2}}]

    answer = await models.call(chat(), {"prompt": "x", "maxTokens": 100})

    assert answer.value == "HelloHello"
    assert answer.usage == Usage(calls=1, input_tokens=9, output_tokens=2)


@pytest.mark.parametrize("reply", [{}, {"content": []}, {"content": [{"type": "text"}]}, "text"])
async def test_an_answer_without_a_text_is_a_bad_one(
    models: ModelCaller, provider: Provider, reply: Any
) -> None:
    provider.answers = [reply]

    with pytest.raises(NodeFailed) as raised:
        await call_model(models)

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"


async def test_a_refusal_is_a_rejection(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [{"content": [], "stop_reason": "refusal"}]

    with pytest.raises(NodeFailed) as raised:
        await call_model(models)

    assert raised.value.code == "PROVIDER_REJECTED"


async def test_the_stub_echoes_and_counts(stubbed: ModelCaller) -> None:
    answer = await stubbed.call(chat(), {"prompt": "Say hello", "maxTokens": 100})

    assert answer.value == "(stub) Say hello"
    assert 0 < answer.usage.input_tokens < 20
    assert 0 < answer.usage.output_tokens < 20


async def test_the_stub_sees_pictures_and_fits_a_schema(stubbed: ModelCaller) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }

    seen = await call_model(stubbed, photo="https://a.example/1.png", maxTokens=50)
    fitting = await call_model(stubbed, jsonSchema=schema, maxTokens=50)

    assert seen.endswith("[1 image seen]")
    assert fitting == '{"n":1}'
