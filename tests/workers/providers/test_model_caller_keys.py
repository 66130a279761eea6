"""Idempotency keys: the same while an outcome is unknown, another after a bad answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from engine.models.registry import use_models
from engine.process.pool import Pool
from tests.support.factories import Graph, Runner
from tests.support.http.providers import Provider, provided
from tests.support.manifests import PROMPT
from tests.support.models.provider_walker import ProviderWalker, asking
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.streams import delta, stream
from workers.outbound.client import Egress
from workers.providers import jobs
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller, refuse_answer

HEADER = 'idempotency_header = "Idempotency-Key"\nmodel = "any"\n'
JOB = """
idempotency_header = "Idempotency-Key"
path = "/jobs"
body = { prompt = "{{ prompt }}" }
result = "output"

[http.job]
id = "id"
path = "/jobs/{{ job }}"
status = "status"
done = ["succeeded"]
failed = ["failed"]
"""
RETRY = {"attempts": 3, "backoff": 0}


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text}}]}


CUT_OFF, LIST = said('["red", "gre'), said('["red", "green"]')


@pytest.fixture
def provider_walker(runner: Runner, egress: Egress) -> Iterator[ProviderWalker]:
    models = [
        provided("openai", HEADER),
        provided("openai", HEADER, name="second"),
        provided("openai", HEADER, name="first", head='fallback = ["second"]\n'),
    ]
    with use_models(models):
        yield ProviderWalker(runner=runner, egress=egress, pool=Pool(slots=1))


def listing(*urls: str, model: str = "own") -> Graph:
    """Return a node that asks for a list, once for each URL."""
    graph = Graph().node("l", "list", items=[{"value": f"Colours at {url}"} for url in urls])
    graph.node("m", "assistant", model=model, exportMode="list", retry=RETRY)
    graph.node("out", "responseOutput")
    return graph.wire("l.items-out > m.prompt-in", "m.items-out > out.result-in")


def keys(provider: Provider) -> list[str]:
    """Return the keys of the calls, without the execution."""
    before = len("01234567-89ab-cdef-0123-456789abcdef-")
    return [each.headers["Idempotency-Key"][before:] for each in provider.asked]


async def test_an_answer_that_is_no_good_is_not_asked_for_by_the_same_name_again(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider.answers = [CUT_OFF, CUT_OFF, LIST]

    execution = await provider_walker.run(listing(provider.url))

    assert execution.result == ["red", "green"]
    assert keys(provider) == ["1-0", "1-0-1", "1-0-2"]


async def test_only_the_item_with_the_bad_answer_gets_another_name(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider.answers = [LIST]
    graph = listing(provider.url, f"{provider.url}/bad")
    provider.at["/bad/chat/completions"] = [CUT_OFF, LIST]

    execution = await provider_walker.run(graph)

    assert execution.result == ["red", "green"] * 2
    assert sorted(keys(provider)) == ["1-0", "1-1", "1-1-1"]


@pytest.mark.parametrize(
    "failure",
    [
        web.json_response({"error": "Down"}, status=503),
        web.json_response({"error": "Slow"}, status=504),
        web.json_response({"error": "Too many"}, status=429),
    ],
    ids=lambda failure: str(failure.status),
)
async def test_a_call_with_an_unknown_outcome_keeps_its_key(
    provider_walker: ProviderWalker, provider: Provider, failure: web.Response
) -> None:
    provider.answers = [failure, CUT_OFF, LIST]

    await provider_walker.run(listing(provider.url))

    assert keys(provider) == ["1-0", "1-0", "1-0-1"]


async def test_a_stream_that_breaks_off_keeps_its_name(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider_walker.streams = True
    provider.answers = [stream(delta("Hel")), said("Hello")]

    await provider_walker.run(asking(provider.url, retry=RETRY))

    assert keys(provider) == ["0-0", "0-0"]


async def test_a_call_that_is_made_without_a_stream_is_another_one(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider_walker.streams = True
    provider.answers = [web.json_response({"error": "What is stream?"}, status=422), said("Hello")]

    await provider_walker.run(asking(provider.url, retry=RETRY))

    assert keys(provider) == ["0-0", "0-0-whole"]


async def test_a_bad_answer_of_another_model_leaves_the_order_of_models_as_it_is(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider.answers = [web.Response(status=503), CUT_OFF, LIST]

    execution = await provider_walker.run(listing(provider.url, model="first"))

    assert execution.result == ["red", "green"]
    assert keys(provider) == ["1-0", "1-0", "1-0-1"]


# -- jobs -----------------------------------------------------------------------------------------


async def test_a_job_with_a_bad_result_is_another_job_the_next_time(
    models: ModelCaller, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FIRST_PAUSE_SECONDS", 0.01)
    checkpoints, clip = RecordedCheckpoints(), provided("http", JOB, fields=PROMPT)
    done = {"status": "succeeded", "output": "x"}
    provider.answers = [{"id": "j1"}, done, {"id": "j2"}, done, {"id": "j3"}, done]

    for _ in range(3):
        await models.call(clip, {"prompt": "x"}, ModelCall(checkpoints=checkpoints, item=4))
        await refuse_answer(checkpoints, 4)

    submits = [each for each in provider.asked if each.method == "POST"]
    assert [each.headers["Idempotency-Key"] for each in submits] == ["x-4", "x-4-1", "x-4-2"]
    assert [each.path for each in provider.asked if each.method == "GET"] == [
        "/jobs/j1",
        "/jobs/j2",
        "/jobs/j3",
    ]


async def test_calls_without_a_record_have_no_name_at_all(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [said("Hello")]

    await models.call(provided("openai", HEADER), {"prompt": "x"})

    assert "Idempotency-Key" not in provider.asked[0].headers
