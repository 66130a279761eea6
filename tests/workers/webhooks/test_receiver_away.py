"""A receiver that is away for ten minutes of the schedule: nothing listens at its address."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from aiohttp import web

from engine.settings import Settings
from engine.webhooks.deliveries import Delivery, DeliveryStatus
from engine.webhooks.schedule import DELAYS_SECONDS, JITTER
from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import greeting
from tests.support.http.webhook_receivers import Receiver
from tests.support.workers.webhook_owner import SECRET, Owner
from workers.main import worker

pytestmark = [pytest.mark.F36, pytest.mark.usefixtures("brisk_sweeper")]

SCALE = 0.002
"""Ten minutes of the schedule become 1.2 seconds."""
AWAY_SECONDS = 600 * SCALE
OTHERS = 20
BUSY_SECONDS = 20.0
"""Time by which attempts may be late on a busy machine."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1, webhook_time_scale=SCALE)


@contextlib.asynccontextmanager
async def listening(receiver: Receiver, port: int) -> AsyncIterator[None]:
    """Let the receiver answer at this port too."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def check_schedule(delivery: Delivery) -> None:
    """Check that no attempt came before its time, nor much later."""
    times = [each.at / 1_000 for each in delivery.attempts]
    for number, (before, after) in enumerate(zip(times, times[1:], strict=False)):
        delay = DELAYS_SECONDS[number] * SCALE
        pause = after - before
        assert delay * (1 - JITTER) * 0.9 <= pause <= delay * (1 + JITTER) + BUSY_SECONDS


async def test_the_first_attempt_after_its_return_delivers_and_others_are_not_late(
    owner: Owner,
    receiver: Receiver,
    settings: Settings,
    record_property: Callable[[str, object], None],
) -> None:
    port, away, other = free_port(), await owner.hook("/away"), await owner.hook("/ok")
    url = f"http://127.0.0.1:{port}/away"
    await owner.store.webhooks.save(owner.account.id, away, url=url, secret=SECRET)
    slug = await owner.runner.save(greeting())

    async with worker(settings):
        execution_id = await owner.begin(slug, away)
        others = [await owner.begin(slug, other) for _ in range(OTHERS)]
        for each in others:
            await owner.settled(other, each, seconds=PATIENCE_SECONDS)
        found = await eventually(
            lambda: owner.delivery(away, execution_id),
            lambda each: each is not None and bool(each.attempts),
        )
        assert found is not None and found.status is DeliveryStatus.PENDING
        await asyncio.sleep(AWAY_SECONDS)
        async with listening(receiver, port):
            delivery = await owner.settled(away, execution_id)

    assert delivery.status is DeliveryStatus.DELIVERED
    *failed, delivered = delivery.attempts
    assert {each.status for each in failed} == {None} and failed
    assert delivered.status == 200
    assert receiver.ids() == dict.fromkeys([execution_id, *others], 1)
    check_schedule(delivery)
    waits = [await first_wait(owner, receiver, each) for each in others]
    record_property("attempts", len(delivery.attempts))
    record_property("first_attempt_of_others_p95_seconds", sorted(waits)[int(OTHERS * 0.95)])


async def first_wait(owner: Owner, receiver: Receiver, execution_id: str) -> float:
    """Return the seconds from the end of an execution to its first attempt."""
    head = await owner.store.executions.head(owner.account.id, execution_id)
    first = next(each for each in receiver.received if each.id == execution_id)
    return first.at - (head.completed_at or 0) / 1_000
