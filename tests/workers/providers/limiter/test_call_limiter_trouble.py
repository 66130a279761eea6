"""Model calls at a provider that refuses them or fails."""

import asyncio
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.registry import use_models
from engine.store.limits.governor import CallOutcome
from tests.support.eventually import eventually
from tests.support.manifests import model
from tests.support.models.limited_calls import (
    Process,
    Provider,
    answer,
    failure,
    limited,
    report_kinds,
    sample,
)
from workers.providers.base import NoCheckpoints


async def test_after_a_refusal_all_wait_as_long_as_the_provider_wants(
    one: Process, two: Process, fake_provider: Provider
) -> None:
    loop = asyncio.get_running_loop()
    fake_provider.answers = [answer(429, retry_after_ms="400"), answer()]
    paced = limited(requests_per_minute=6_000)
    began = loop.time()

    refused = await failure(one.call(paced))
    await two.call(paced)

    assert sample("calls_refused_total") > 0
    assert (refused.code, refused.retry_after) == ("PROVIDER_RATE_LIMITED", 0.4)
    assert loop.time() - began >= 0.39


async def test_a_call_that_cannot_wait_so_long_fails_at_once(
    one: Process, fake_provider: Provider
) -> None:
    loop = asyncio.get_running_loop()
    fake_provider.answers = [answer(429, retry_after="30"), answer()]
    paced = limited(requests_per_minute=6_000)
    await failure(one.call(paced))
    began = loop.time()

    late = await failure(one.call(paced, seconds=20))

    assert late.code == "PROVIDER_RATE_LIMITED"
    assert 29 < late.retry_after <= 30
    assert loop.time() - began < 20  # the time that the call has


@pytest.mark.parametrize("limits", [{}, {"requests_per_minute": 6_000}])
async def test_a_provider_in_trouble_is_not_asked_and_the_fallback_answers(
    one: Process, fake_provider: Provider, limits: dict[str, int]
) -> None:
    troubled = limited("troubled", **limits)
    fake_provider.answers = [answer(503)]
    await asyncio.gather(*(failure(one.call(troubled)) for _ in range(5)))
    await eventually(report_kinds(one), lambda kinds: kinds.count(CallOutcome.FAILED) == 5)

    async def refusal() -> str:
        return (await failure(one.call(troubled))).message

    await eventually(refusal, lambda message: "not asked for now" in message)
    seen, asked = len(fake_provider.calls), len(one.watched.reports)
    shut = await failure(one.call(troubled))
    falling = limited("troubled", head='fallback = ["spare"]\n', **limits)
    with use_models([falling, model("spare")]):
        spare = await one.call(falling)

    assert (shut.code, shut.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert 0 < shut.retry_after <= 5
    assert (len(fake_provider.calls), len(one.watched.reports)) == (seen, asked)
    assert sample("breaker_open") > 0
    assert spare.value == "<x>"


async def test_a_provider_that_cannot_be_reached_is_in_trouble_and_an_answer_ends_that(
    one: Process, fake_provider: Provider
) -> None:
    gone = NodeFailed("connection_failed", "The server could not be reached", retryable=True)
    fake_provider.answers = [gone, gone, answer(), answer(418)]

    await failure(one.call(limited()))
    await failure(one.call(limited()))
    await eventually(report_kinds(one), lambda kinds: kinds.count(CallOutcome.FAILED) == 2)
    await one.call(limited())

    await eventually(report_kinds(one), lambda kinds: kinds[2:] == [CallOutcome.DONE])
    await failure(one.call(limited()))  # the provider is well: it is the call that is wrong
    assert CallOutcome.FAILED not in one.watched.kinds()[2:]


async def test_a_job_that_is_under_way_needs_no_turn(one: Process, fake_provider: Provider) -> None:
    class Begun(NoCheckpoints):
        async def find_job(self, item: int) -> Any:
            return {"model": "job", "id": "j1", "round": 0}

    fake_provider.answers = [answer(body={"status": "done", "out": "yes"})]
    job = model(
        "job",
        call='[http]\nbase_url = "https://provider.example"\npath = "/jobs"\nresult = "out"\n'
        '[http.job]\nid = "id"\npath = "/jobs/{{ job }}"\nstatus = "status"\n'
        'done = ["done"]\nfailed = ["failed"]\n'
        "[limits]\nconcurrency = 1\n",
    )

    given = await one.call(job, Begun())

    assert given.value == "yes"
    assert one.watched.reports == []
