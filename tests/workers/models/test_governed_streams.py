"""What becomes of a stream counts for its provider, although it had begun well."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.failures import NodeFailed
from engine.models.manifest import Model
from engine.store import Store
from engine.store.governor import Event, Happening
from tests.eventually import eventually
from tests.providers import Provider, provided
from tests.workers.models.governed_calls import Watched
from tests.workers.models.streams import DONE, STOP, Listener, delta, stream
from workers.http import Egress
from workers.models import Governor, Models

CHAT = '\nmodel = "any"'
LIMITED = f"{CHAT}\n[limits]\nrequests_per_minute = 600\n"


@dataclass
class Desk:
    """A listener whose calls are governed, and what the governor was told."""

    listener: Listener
    watched: Watched

    async def fail(self, model: Model) -> None:
        with pytest.raises(NodeFailed):
            await self.listener.call(model)

    async def told(self) -> list[Event]:
        """What was told, once that is a call and its end."""

        async def events() -> list[Event]:
            return [each for each in self.watched.told if each.kind is not Happening.TOOK]

        return await eventually(events, lambda found: len(found) == 2)


@pytest.fixture
async def desk(
    store: Store, redis_url: str, egress: Egress, provider: Provider
) -> AsyncIterator[Desk]:
    watched = Watched(store)
    governor = Governor(watched, "one")
    models = Models(egress, governor=governor, environ=provider.environ)
    async with governor.running(redis_url):
        yield Desk(Listener(models), watched)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"type": "overloaded_error"}}, Happening.FAILED),
        ({"error": {"type": "timeout_error"}}, Happening.FAILED),
        ({"error": {"type": "rate_limit_error"}}, Happening.REFUSED),
        ({"error": {"type": "invalid_request_error"}}, Happening.DONE),
        (b"no JSON", Happening.DONE),
    ],
)
async def test_an_error_in_the_middle_counts_as_what_it_is(
    desk: Desk, provider: Provider, error: Any, kind: Happening
) -> None:
    provider.answers = [stream(delta("Hel"), error)]

    await desk.fail(provided("openai", LIMITED))

    told = await desk.told()
    assert [event.kind for event in told] == [Happening.ASK, kind]


async def test_a_whole_stream_counts_with_what_it_used(desk: Desk, provider: Provider) -> None:
    used = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}}
    provider.answers = [stream(delta("Hello"), STOP, used, DONE)]

    await desk.listener.call(provided("openai", LIMITED))

    asked, done = await desk.told()
    assert (asked.kind, done.kind, done.amount) == (Happening.ASK, Happening.DONE, 14)


async def test_what_a_provider_tells_of_its_limits_counts_although_the_stream_breaks_off(
    desk: Desk, provider: Provider
) -> None:
    broken = stream(delta("Hel"))
    broken.headers["x-ratelimit-limit-requests"] = "600"
    provider.answers = [broken, stream(delta("Hello"), STOP, DONE)]

    await desk.fail(provided("openai", CHAT))
    await desk.listener.call(provided("openai", CHAT))

    told = await desk.told()
    assert [event.kind for event in told] == [Happening.ASK, Happening.DONE]
