"""Chats with tools through the caller of models: fallbacks, media, limits, and models without."""

import base64
from collections.abc import Iterator

import pytest
from aiohttp import web
from msgspec.structs import replace

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import Chat, read_turn
from engine.models.manifest import Model
from engine.models.registry import use_models
from tests.support.http.providers import Kept, Provider, provided
from tests.support.manifests import model
from tests.support.models.chats import ASKED, QUESTION
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from workers.providers.base import ModelCall
from workers.providers.limiter.call_limiter import guess_tokens
from workers.providers.media_memory import MAX_BYTES
from workers.providers.model_caller import ModelCaller

OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/1.png"
PNG = b"\x89PNG\r\n\x1a\npicture"
SAID = {"choices": [{"message": {"content": "hi"}}]}


def first() -> Model:
    head = 'fallback = ["plain", "shy", "second"]\n'
    return provided("openai", '\nmodel = "first"', name="first", head=head)


def second() -> Model:
    return provided("openai", '\nmodel = "second"', name="second")


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    shy = provided("openai", '\nmodel = "shy"\ntools = false', name="shy")
    with use_models([first(), second(), model("plain"), shy]):
        yield


def with_files(*urls: str) -> Chat:
    return replace(ASKED, messages=(replace(QUESTION, files=urls), QUESTION))


async def test_only_models_with_tools_take_the_place_of_another(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [web.Response(status=503), SAID]

    answer = await models.call(first(), {}, ModelCall(chat=ASKED))

    assert [each.body["model"] for each in provider.asked] == ["first", "second"]
    assert read_turn(answer.value).model == "second"
    assert answer.micro_usd is not None


@pytest.mark.parametrize("name", ["plain", "shy"])
async def test_a_model_without_tools_fails_before_any_call(
    models: ModelCaller, provider: Provider, name: str
) -> None:
    found = (
        model("plain") if name == "plain" else provided("openai", '\nmodel = "m"\ntools = false')
    )

    with pytest.raises(NodeFailed) as raised:
        await models.call(found, {}, ModelCall(chat=ASKED))

    assert raised.value.code == "model_takes_no_tools"
    assert provider.asked == []


async def test_media_of_the_account_are_sent_as_data_and_others_as_their_urls(
    models: ModelCaller, provider: Provider, kept: Kept
) -> None:
    kept.own[("acc", OURS)] = PNG
    provider.answers = [SAID]
    call = ModelCall(chat=with_files(OURS, FOREIGN), checkpoints=RecordedCheckpoints())

    await models.call(first(), {}, call)

    sent = provider.asked[0].body["messages"][1]["content"]
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert [each["image_url"]["url"] for each in sent if "image_url" in each] == [data, FOREIGN]


async def test_media_of_a_chat_have_a_bound_together(
    models: ModelCaller, provider: Provider, kept: Kept
) -> None:
    kept.own[("acc", OURS)] = PNG + bytes(19_000_000)
    call = ModelCall(
        chat=with_files(*[OURS] * (MAX_BYTES // 19_000_000 + 1)),
        checkpoints=RecordedCheckpoints(),
    )

    with pytest.raises(NodeFailed):
        await models.call(first(), {}, call)

    assert provider.asked == []


def test_texts_of_a_chat_count_in_the_guess_of_tokens() -> None:
    assert guess_tokens({"chat": ["x" * 400]}) == guess_tokens({}) + 100
