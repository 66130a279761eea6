"""Steps of Redis's clock by an hour beside real workers: each due time has one occurrence."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Store
from engine.store.redis.info import read_now
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import Missed
from tests.support.eventually import eventually
from tests.support.factories import greeting
from tests.support.redis.stepped_clock import SteppedRedis
from tests.support.triggers.due_schedules import Owner
from tests.support.workers.worker_process import worker_processes

HOUR, MINUTE_MS = 3_600, 60_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def owner(stepped: SteppedRedis) -> AsyncIterator[Owner]:
    """An account beside two worker processes."""
    store = Store.open(Settings(redis_url=stepped.url))
    account = await store.accounts.create(email="ada@example.com", tier=Tier.ENTERPRISE)
    workflow = await store.workflows.create(account.id, parse_document(greeting().body()), [])
    async with worker_processes(stepped.url, 2):
        yield Owner(store, account.id, workflow.slug)
    await store.close()


@pytest.mark.F56
async def test_a_clock_that_steps_by_an_hour_gives_each_due_time_once(
    stepped: SteppedRedis, owner: Owner
) -> None:
    now = await read_now(owner.store.client)
    first = now - now % MINUTE_MS + MINUTE_MS
    trigger = await owner.schedule(first, "* * * * *", Missed.ALL)

    for hours, minutes in ((1, 60), (0, 60), (1, 60), (2, 120)):
        stepped.step(hours * HOUR + 60)

        async def count() -> int:
            return len(await owner.occurrences(trigger))

        await eventually(count, minutes.__le__, timeout=60)
    occurrences = await owner.occurrences(trigger)

    assert [each.at for each in occurrences] == [
        first + MINUTE_MS * number for number in range(len(occurrences))
    ]
    assert len(occurrences) in (121, 122)
    assert {each.status for each in occurrences} == {OccurrenceStatus.STARTED}
    await owner.check_runs(occurrences)
