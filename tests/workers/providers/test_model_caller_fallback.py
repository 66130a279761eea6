"""Fallbacks of unavailable models, and their cost."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from tests.support.http.providers import Provider, provided
from tests.support.manifests import model
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

FIELDS = """
[[fields]]
name = "prompt"
type = "text"
required = true

[[fields]]
name = "tone"
type = "text"
default = "plain"
"""
CHEAP = '[[pricing]]\nunit = "call"\nusd = "0.010"\n'
DEAR = '[[pricing]]\nunit = "call"\nusd = "0.500"\n'


def first(**parts: str) -> Model:
    head = 'fallback = ["gone", "painter", "off", "second"]\n'
    return provided("openai", '\nmodel = "m"', name="first", head=head, **parts)


def second(pricing: str = CHEAP) -> Model:
    call = '[builtin]\ntemplate = "{{ tone }}: {{ prompt }}"\n'
    return model("second", fields=FIELDS, pricing=pricing, call=call)


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    others = [
        model("painter", category="image"),
        model("off", head="enabled = false\n"),
    ]
    with use_models([first(), second(), *others]):
        yield


@pytest.mark.parametrize("status", [429, 503])
async def test_a_model_that_cannot_be_had_is_replaced_by_the_first_that_fits(
    models: ModelCaller, provider: Provider, status: int
) -> None:
    provider.answers = [web.Response(status=status)]

    answer = await models.call(first(), {"prompt": "x", "unknown": 1})

    assert answer.value == "plain: x"


@pytest.mark.parametrize("status", [400, 401, 504])
async def test_any_other_failure_is_the_calls_own(
    models: ModelCaller, provider: Provider, status: int
) -> None:
    provider.answers = [web.Response(status=status)]

    with pytest.raises(NodeFailed):
        await models.call(first(), {"prompt": "x"})


async def test_a_model_that_answers_is_charged_for_its_usage(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"choices": [{"message": {"content": "hi"}}]}]

    answer = await models.call(first(), {"prompt": "x"})

    assert (answer.value, answer.usage, answer.micro_usd) == ("hi", Usage(calls=1), None)


@pytest.mark.parametrize(
    ("own", "other", "charged"), [(DEAR, CHEAP, 10_000), (CHEAP, DEAR, 10_000)]
)
async def test_the_charge_is_the_fallbacks_and_not_over_the_models_maximum(
    models: ModelCaller, provider: Provider, own: str, other: str, charged: int
) -> None:
    provider.answers = [web.Response(status=503)]

    with use_models([second(other)]):
        answer = await models.call(first(pricing=own), {"prompt": "x"})

    assert answer.micro_usd == charged


async def test_when_all_fail_the_last_failure_is_raised(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [
        web.json_response({"error": "first"}, status=503),
        web.json_response({"error": "second"}, status=503),
    ]
    other = provided("openai", '\nmodel = "m"', name="second")

    with use_models([other]), pytest.raises(NodeFailed) as raised:
        await models.call(first(), {"prompt": "x"})

    assert (raised.value.code, raised.value.message) == ("PROVIDER_UNAVAILABLE", "second")


async def test_a_fallback_whose_job_is_under_way_is_asked_first(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    checkpoints.jobs[0] = {"model": "second", "id": "j", "round": 0}
    provider.answers = [{"choices": [{"message": {"content": "hi"}}]}]

    answer = await models.call(first(), {"prompt": "x"}, ModelCall(checkpoints=checkpoints))

    assert answer.value == "plain: x"
    assert provider.asked == []
