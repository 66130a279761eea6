"""Outcomes of streams that fail after a good start, as the governor gets them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.store import Store
from engine.store.limits.governor import CallOutcome, CallReport
from engine.store.redis.address import RedisAddress
from tests.support.eventually import eventually
from tests.support.http.providers import Provider, provided
from tests.support.models.limited_calls import WatchedGovernor
from tests.support.models.streams import DONE, STOP, Listener, delta, stream
from workers.outbound.client import Egress
from workers.providers.limiter.call_limiter import CallLimiter
from workers.providers.model_caller import ModelCaller

CHAT = '\nmodel = "any"'
LIMITED = f"{CHAT}\n[limits]\nrequests_per_minute = 600\n"


@dataclass
class GovernedListener:
    """A listener with a limiter, and the reports to its governor."""

    listener: Listener
    watched: WatchedGovernor

    async def fail(self, model: Model) -> None:
        with pytest.raises(NodeFailed):
            await self.listener.call(model)

    async def reports(self) -> list[CallReport]:
        """Wait for the reports of a call and of its end."""

        async def events() -> list[CallReport]:
            return [each for each in self.watched.reports if each.kind is not CallOutcome.TOOK]

        return await eventually(events, lambda found: len(found) == 2)


@pytest.fixture
async def governed(
    store: Store, redis_url: str, egress: Egress, provider: Provider
) -> AsyncIterator[GovernedListener]:
    watched = WatchedGovernor(store)
    limiter = CallLimiter(watched, "one")
    models = ModelCaller(egress, limiter=limiter, environ=provider.environ)
    async with limiter.running(RedisAddress.parse(redis_url)):
        yield GovernedListener(Listener(models), watched)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"type": "overloaded_error"}}, CallOutcome.FAILED),
        ({"error": {"type": "timeout_error"}}, CallOutcome.FAILED),
        ({"error": {"type": "rate_limit_error"}}, CallOutcome.REFUSED),
        ({"error": {"type": "invalid_request_error"}}, CallOutcome.DONE),
        (b"no JSON", CallOutcome.DONE),
    ],
)
async def test_an_error_in_the_middle_counts_by_its_kind(
    governed: GovernedListener, provider: Provider, error: Any, kind: CallOutcome
) -> None:
    provider.answers = [stream(delta("Hel"), error)]

    await governed.fail(provided("openai", LIMITED))

    reports = await governed.reports()
    assert [event.kind for event in reports] == [CallOutcome.ASK, kind]


async def test_a_whole_stream_counts_with_its_usage(
    governed: GovernedListener, provider: Provider
) -> None:
    used = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}}
    provider.answers = [stream(delta("Hello"), STOP, used, DONE)]

    await governed.listener.call(provided("openai", LIMITED))

    asked, done = await governed.reports()
    assert (asked.kind, done.kind, done.amount) == (CallOutcome.ASK, CallOutcome.DONE, 14)


async def test_limits_in_headers_count_although_the_stream_breaks_off(
    governed: GovernedListener, provider: Provider
) -> None:
    broken = stream(delta("Hel"))
    broken.headers["x-ratelimit-limit-requests"] = "600"
    provider.answers = [broken, stream(delta("Hello"), STOP, DONE)]

    await governed.fail(provided("openai", CHAT))
    await governed.listener.call(provided("openai", CHAT))

    reports = await governed.reports()
    assert [event.kind for event in reports] == [CallOutcome.ASK, CallOutcome.DONE]
