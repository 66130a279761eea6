"""Turns of model calls at a provider: within a process and between processes."""

import asyncio

import pytest
import redis

from engine.models.registry import use_models
from engine.store.limits.governor import CallOutcome
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.manifests import model
from tests.support.models.limited_calls import (
    REPLY,
    Process,
    Provider,
    answer,
    calls,
    failure,
    limited,
    report_kinds,
    sample,
)
from tests.support.redis.installation import empty
from workers.providers.base import ModelAnswer
from workers.providers.limiter import provider_queue

# -- calls with and without turns -----------------------------------------------------------------


async def test_a_model_without_limits_asks_for_no_turn(
    one: Process, fake_provider: Provider
) -> None:
    for _ in range(3):
        await one.call(limited())

    assert len(fake_provider.calls) == 3
    assert one.watched.reports == []


async def test_a_builtin_has_no_provider_to_wait_for(one: Process) -> None:
    assert (await one.call(model())).value == "<x>"
    assert one.watched.reports == []


async def test_a_model_with_limits_asks_for_a_turn_and_reports_the_outcome(one: Process) -> None:
    await one.call(limited(requests_per_minute=600))

    await eventually(report_kinds(one), lambda kinds: kinds == [CallOutcome.ASK, CallOutcome.DONE])


async def test_the_end_of_the_wait_is_noted_before_the_call_and_without_a_turn_too(
    one: Process, fake_provider: Provider
) -> None:
    scarce, noted = limited(requests_per_minute=1), list[int]()

    def note() -> None:
        noted.append(len(fake_provider.calls))

    await one.call(scarce, note_turn=note)
    late = await failure(one.call(scarce, seconds=0.1, note_turn=note))

    assert late.code == "PROVIDER_RATE_LIMITED"
    assert noted == [0, 1]


async def test_limits_in_headers_count_from_the_next_call(
    one: Process, fake_provider: Provider
) -> None:
    fake_provider.answers = [answer(x_ratelimit_limit_requests="60")]
    await one.call(limited())

    waiting = [asyncio.create_task(one.call(limited())) for _ in range(3)]
    await calls(fake_provider, 2)
    late = await failure(one.call(limited(), seconds=0.1))

    assert late.code == "PROVIDER_RATE_LIMITED"
    assert len(fake_provider.calls) == 2, "one of three has its turn in the first second"
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_limits_of_the_manifest_take_precedence_over_headers(
    one: Process, fake_provider: Provider
) -> None:
    fake_provider.answers = [answer(x_ratelimit_limit_requests="1")]
    generous = limited(requests_per_minute=6_000)

    for _ in range(5):
        await one.call(generous)

    assert len(fake_provider.calls) == 5


async def test_used_tokens_are_reported(one: Process, fake_provider: Provider) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 12}
    fake_provider.answers = [answer(body=REPLY | {"usage": usage})]

    await one.call(limited(tokens_per_minute=60_000))

    await eventually(report_kinds(one), lambda kinds: CallOutcome.DONE in kinds)
    assert one.watched.reports[-1].amount == 42


# -- waiting --------------------------------------------------------------------------------------

SINGLE = limited(concurrency=1)


async def in_line(
    one: Process, two: Process, fake_provider: Provider
) -> tuple["asyncio.Task[ModelAnswer]", "asyncio.Task[ModelAnswer]"]:
    """Start an endless call in one process, and one in the other that waits for it."""
    fake_provider.is_open.clear()
    first = asyncio.create_task(one.call(SINGLE))
    await calls(fake_provider, 1)
    second = asyncio.create_task(two.call(SINGLE))
    await eventually(report_kinds(two), bool)
    return first, second


async def test_the_end_of_a_call_is_the_turn_of_one_in_another_process(
    one: Process, two: Process, fake_provider: Provider
) -> None:
    two.watched.is_never_due = True  # it does not look by itself whether it has its turn
    first, second = await in_line(one, two, fake_provider)
    assert len(fake_provider.calls) == 1

    fake_provider.is_open.set()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(first, second)


async def test_a_cancelled_call_leaves_the_queue(
    one: Process, two: Process, fake_provider: Provider
) -> None:
    first, second = await in_line(one, two, fake_provider)

    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    fake_provider.is_open.set()

    assert (await one.call(SINGLE, seconds=PATIENCE_SECONDS)).value == "yes"
    assert CallOutcome.LEFT in two.watched.kinds()


async def test_a_call_that_has_no_turn_within_its_deadline_fails(
    one: Process, fake_provider: Provider
) -> None:
    fake_provider.is_open.clear()
    first = asyncio.create_task(one.call(SINGLE))
    await calls(fake_provider, 1)

    late = await failure(one.call(SINGLE, seconds=0.05))
    fake_provider.is_open.set()
    await first

    assert (late.code, late.retryable) == ("PROVIDER_RATE_LIMITED", True)
    await eventually(report_kinds(one), lambda kinds: CallOutcome.LEFT in kinds)


async def test_a_fallback_is_asked_when_half_of_the_time_has_brought_no_turn(
    one: Process, fake_provider: Provider
) -> None:
    single = limited(head='fallback = ["spare"]\n', concurrency=1)
    fake_provider.is_open.clear()
    first = asyncio.create_task(one.call(single))
    await calls(fake_provider, 1)

    with use_models([single, model("spare")]):
        async with asyncio.timeout(PATIENCE_SECONDS):
            spare = await one.call(single, seconds=3)
    fake_provider.is_open.set()
    await first

    assert spare.value == "<x>"


async def test_as_long_as_a_call_is_under_way_its_process_is_heard_of(
    one: Process, fake_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_queue, "RENEW_SECONDS", 0.02)
    fake_provider.is_open.clear()
    call = asyncio.create_task(one.call(limited(concurrency=1)))
    await calls(fake_provider, 1)

    async def heard() -> int:
        return one.watched.turns

    await eventually(heard, lambda turns: turns > 5)
    fake_provider.is_open.set()
    await call


async def test_calls_ask_again_when_redis_has_forgotten_them(
    one: Process, redis_cleaner: redis.Redis, fake_provider: Provider
) -> None:
    fake_provider.is_open.clear()
    tasks = [asyncio.create_task(one.call(SINGLE)) for _ in range(3)]
    await calls(fake_provider, 1)
    empty(redis_cleaner)

    fake_provider.is_open.set()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*tasks)


async def test_calls_wait_while_redis_is_away(one: Process, fake_provider: Provider) -> None:
    paced = limited(requests_per_minute=6_000)
    one.watched.is_away = True
    waiting = asyncio.create_task(one.call(paced))
    await asyncio.wait([waiting], timeout=0.3)
    assert fake_provider.calls == []

    one.watched.is_away = False

    assert (await waiting).value == "yes"


async def test_calls_do_not_wait_for_ever_when_turns_cannot_be_had(one: Process) -> None:
    paced = limited(requests_per_minute=6_000)
    one.watched.is_broken = True

    lost = await failure(one.call(paced, seconds=5))
    one.watched.is_broken = False

    assert (lost.code, lost.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert (await one.call(paced, seconds=PATIENCE_SECONDS)).value == "yes"


async def test_calls_that_wait_and_have_their_turn_are_counted(
    one: Process, fake_provider: Provider
) -> None:
    granted = sample("calls_granted_total")
    fake_provider.is_open.clear()
    tasks = [asyncio.create_task(one.call(SINGLE)) for _ in range(3)]
    await calls(fake_provider, 1)
    waiting = sample("calls_waiting")

    fake_provider.is_open.set()
    await asyncio.gather(*tasks)

    assert (waiting, sample("calls_waiting")) == (2, 0)
    assert sample("calls_granted_total") == granted + 3
