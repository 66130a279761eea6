"""OpenAI's protocol: against the stub, and against invalid answers."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.pricing import Usage
from tests.support.http.providers import KEY, MODEL_KEYS, Kept, Provider, calling, provided
from tests.support.manifests import PROMPT
from tests.support.models import chat_models
from tests.support.models.chat_models import BODY
from workers.outbound.client import Egress
from workers.providers.model_caller import ModelCaller

SAID = {"choices": [{"message": {"content": "Hello"}}]}


@pytest.fixture
def stubbed(egress: Egress, stub_url: str, kept: Kept) -> ModelCaller:
    return calling(egress, {"PROVIDER_URL": f"{stub_url}/v1", **MODEL_KEYS}, kept)


def chat(more: str = BODY) -> Model:
    return chat_models.chat("openai", more)


def pictures(**parts: str) -> Model:
    fields = PROMPT + '[[fields]]\nname = "count"\ntype = "number"\nmax = 4\n'
    pricing = '[[pricing]]\nunit = "image"\nusd = "0.01"\nfield = "count"\n'
    more = '\nmodel = "painter"\nbody = { n = "{{ count }}", size = "256x256" }'
    return provided("openai", more, category="image", fields=fields, pricing=pricing, **parts)


async def call_model(models: ModelCaller, found: Model, **values: Any) -> Any:
    return (await models.call(found, {"prompt": "Say hello", **values})).value


# -- requests -------------------------------------------------------------------------------------


async def test_a_prompt_alone_is_a_plain_message(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [SAID]

    assert await call_model(models, chat()) == "Hello"

    (asked,) = provider.asked
    assert (asked.method, asked.path) == ("POST", "/chat/completions")
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.body == {"model": "any", "messages": [{"role": "user", "content": "Say hello"}]}


async def test_system_pictures_schema_and_more_go_where_they_belong(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [SAID]
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}

    await call_model(
        models,
        chat(),
        system="Be brief",
        photo="https://a.example/1.png",
        jsonSchema=schema,
        maxTokens=7,
    )

    body = provider.asked[0].body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Say hello"},
                {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}},
            ],
        },
    ]
    assert body["max_tokens"] == 7
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["schema"] == schema


async def test_several_pictures_at_one_field_are_all_looked_at(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [SAID]
    urls = ["https://a.example/1.png", "https://a.example/2.png"]

    await call_model(models, chat(), photo=urls)

    _, *parts = provider.asked[0].body["messages"][0]["content"]
    assert [part["image_url"]["url"] for part in parts] == urls


async def test_a_manifest_says_where_prompt_and_pictures_come_from(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [SAID]
    more = '\nmodel = "m"\nprompt = "Describe {{ prompt }}"\nimages = []\nsystem = "Fixed"'

    await call_model(models, chat(more), photo="https://a.example/1.png")

    assert provider.asked[0].body["messages"] == [
        {"role": "system", "content": "Fixed"},
        {"role": "user", "content": "Describe Say hello"},
    ]


# -- answers --------------------------------------------------------------------------------------


async def test_usage_is_the_providers_report(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [SAID | {"usage": {"prompt_tokens": 11, "completion_tokens": 3}}]

    answer = await models.call(chat(), {"prompt": "x", "maxTokens": 100})

    assert answer.usage == Usage(calls=1, input_tokens=11, output_tokens=3)


async def test_without_a_report_the_most_was_used(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [SAID]

    answer = await models.call(chat(), {"prompt": "x", "maxTokens": 100})

    assert answer.usage == Usage(calls=1, input_tokens=1019, output_tokens=100)


async def test_a_report_is_never_over_the_most(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [SAID | {"usage": {"prompt_tokens": 10**8, "completion_tokens": 101}}]

    answer = await models.call(chat(), {"prompt": "x", "maxTokens": 100})

    assert answer.usage == Usage(calls=1, input_tokens=1019, output_tokens=100)


async def test_text_in_parts_is_put_together(models: ModelCaller, provider: Provider) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    provider.answers = [{"choices": [{"message": {"content": parts}}]}]

    assert await call_model(models, chat()) == "Hello"


@pytest.mark.parametrize(
    "reply",
    [
        {},
        [],
        {"choices": []},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": "none"},
    ],
)
async def test_an_answer_without_a_text_is_a_bad_one(
    models: ModelCaller, provider: Provider, reply: Any
) -> None:
    provider.answers = [reply]

    with pytest.raises(NodeFailed) as raised:
        await call_model(models, chat())

    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_BAD_RESPONSE", False)


async def test_a_refusal_has_the_models_words(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [{"choices": [{"message": {"content": None, "refusal": "I will not."}}]}]

    with pytest.raises(NodeFailed) as raised:
        await call_model(models, chat())

    assert (raised.value.code, raised.value.message) == ("PROVIDER_REJECTED", "I will not.")


@pytest.mark.parametrize("listed", [[], [{}], [{"url": "ftp://x"}], [{"b64_json": "%%%"}], "none"])
async def test_images_that_are_none_are_a_bad_answer(
    models: ModelCaller, provider: Provider, listed: Any
) -> None:
    provider.answers = [{"data": listed}]

    with pytest.raises(NodeFailed) as raised:
        await call_model(models, pictures(), count=1)

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"


# -- the stub -------------------------------------------------------------------------------------


async def test_the_stub_echoes_and_counts(stubbed: ModelCaller) -> None:
    answer = await stubbed.call(chat(), {"prompt": "Say hello", "maxTokens": 100})

    assert answer.value == "(stub) Say hello"
    assert 0 < answer.usage.input_tokens < 20
    assert 0 < answer.usage.output_tokens < 20


async def test_the_stub_fits_a_schema(stubbed: ModelCaller) -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }

    text = await call_model(stubbed, chat(), jsonSchema=schema)

    assert text.startswith('{"title":')


async def test_images_come_as_data_and_are_kept_in_order(stubbed: ModelCaller, kept: Kept) -> None:
    answer = await stubbed.call(pictures(), {"prompt": "a cat", "count": 3})

    assert answer.value == [f"https://kept.example/{number}" for number in (1, 2, 3)]
    assert [content_type for _, content_type in kept.media] == ["image/png"] * 3
    assert all(data.startswith(b"\x89PNG") for data, _ in kept.media)
    assert answer.usage.images == 3


async def test_one_image_is_one_url(stubbed: ModelCaller) -> None:
    answer = await stubbed.call(pictures(), {"prompt": "a cat", "count": 1})

    assert answer.value == "https://kept.example/1"


async def test_speech_is_kept_as_the_sound_it_is(stubbed: ModelCaller, kept: Kept) -> None:
    more = '\nmodel = "tts"\nbody = { voice = "alloy" }'
    pricing = '[[pricing]]\nunit = "call"\nusd = "0.01"\n'
    speaker = provided("openai", more, category="audio", pricing=pricing)

    assert await call_model(stubbed, speaker) == "https://kept.example/1"

    ((data, content_type),) = kept.media
    assert content_type.startswith("audio/") and data.startswith(b"RIFF")
