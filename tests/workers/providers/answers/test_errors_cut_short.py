"""Answers without a text, whose tokens a model used up by thinking."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from tests.support.http.providers import Provider, provided
from tests.support.models.streams import Listener, delta, stream
from workers.providers.model_caller import ModelCaller

MESSAGE = "The provider's answer ended at its limit of tokens before there was any text"
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "x"}


def chat(content: Any, reason: str = "length") -> Any:
    return {"choices": [{"message": {"content": content}, "finish_reason": reason}]}


def message(*blocks: Any, reason: str = "max_tokens") -> Any:
    return {"content": list(blocks), "stop_reason": reason}


@pytest.mark.parametrize(
    ("section", "reply"),
    [
        ("openai", chat("")),
        ("openai", chat(None)),
        ("anthropic", message()),
        ("anthropic", message(THOUGHT)),
        ("anthropic", message(THOUGHT, {"type": "text", "text": ""})),
    ],
)
async def test_an_answer_that_ends_before_its_text_is_a_bad_one(
    models: ModelCaller, provider: Provider, section: str, reply: Any
) -> None:
    provider.answers = [reply]

    with pytest.raises(NodeFailed) as raised:
        await models.call(provided(section, '\nmodel = "m"'), {"prompt": "x"})

    assert (raised.value.code, raised.value.message) == ("PROVIDER_BAD_RESPONSE", MESSAGE)


@pytest.mark.parametrize(
    ("section", "reply"),
    [
        ("openai", chat("Half a")),
        ("openai", chat("Half a", "stop")),
        ("anthropic", message(THOUGHT, {"type": "text", "text": "Half a"})),
    ],
)
async def test_one_that_ends_within_its_text_is_given_as_it_is(
    models: ModelCaller, provider: Provider, section: str, reply: Any
) -> None:
    provider.answers = [reply]

    answer = await models.call(provided(section, '\nmodel = "m"'), {"prompt": "x"})

    assert answer.value == "Half a"


async def test_an_empty_answer_that_is_whole_is_one(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [chat("", "stop")]

    assert (await models.call(provided("openai", '\nmodel = "m"'), {"prompt": "x"})).value == ""


async def test_a_stream_that_ends_before_its_text_is_a_bad_answer_too(
    models: ModelCaller, provider: Provider
) -> None:
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    provider.answers = [stream(delta(""), end, "[DONE]")]

    with pytest.raises(NodeFailed) as raised:
        await Listener(models).call(provided("openai", '\nmodel = "m"'))

    assert raised.value.message == MESSAGE
