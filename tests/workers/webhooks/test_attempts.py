"""Receivers that fail for days: the webhook is disabled, logged, and can be enabled again."""

import logging
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from engine.settings import Settings
from engine.store.redis import keyspace
from engine.telemetry.metrics import REGISTRY
from engine.webhooks.deliveries import DeliveryStatus
from engine.webhooks.schedule import FAILING_MS, FAILING_REASON, GONE_REASON
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.webhook_receivers import Receiver
from tests.support.workers.webhook_owner import SECRET, Owner
from workers.main import worker
from workers.walk.walker import Walker

pytestmark = pytest.mark.usefixtures("brisk_sweeper")

ATTEMPTS = 120
DAY_MS = 86_400_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1, webhook_time_scale=0.0)


async def let_fail_since(owner: Owner, key_id: str, milliseconds: int) -> None:
    """Record failures alone for this long."""
    since = await owner.store.leases.now() - milliseconds
    name = keyspace.webhook(owner.account.id, key_id)
    await owner.store.client.send("HSET", name, "failing_since", since)


def log_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the log lines about disabled webhooks."""
    found = [record for record in caplog.records if record.message == "webhook disabled"]
    names = ("account_id", "key_id", "reason")
    return [{name: record.__dict__[name] for name in names} for record in found]


def disabled_so_far() -> float:
    return REGISTRY.get_sample_value("headrace_webhooks_disabled_total") or 0.0


@pytest.mark.parametrize(
    ("path", "reason"), [("/status/500", FAILING_REASON), ("/status/410", GONE_REASON)]
)
@pytest.mark.F39
async def test_the_log_tells_once_that_a_webhook_was_disabled_and_why(
    owner: Owner, settings: Settings, caplog: pytest.LogCaptureFixture, path: str, reason: str
) -> None:
    caplog.set_level(logging.INFO)
    before = disabled_so_far()
    key_id = await owner.hook(path)
    await let_fail_since(owner, key_id, FAILING_MS)

    ids = [await owner.run(key_id) for _ in range(5)]
    async with worker(settings):
        for each in ids:
            await owner.settled(key_id, each)

    assert log_lines(caplog) == [
        {"account_id": owner.account.id, "key_id": key_id, "reason": reason}
    ]
    assert disabled_so_far() == before + 1
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)
    assert not webhook.enabled
    assert webhook.disabled_reason == reason


async def test_almost_five_days_of_failures_disable_nothing(
    owner: Owner, walker: Walker, caplog: pytest.LogCaptureFixture
) -> None:
    key_id = await owner.hook("/status/500")
    await let_fail_since(owner, key_id, FAILING_MS - 3_600_000)

    delivery = await owner.settled(key_id, await owner.run(key_id), attempts=8)

    assert delivery.status is DeliveryStatus.FAILED
    assert (await owner.store.webhooks.get(owner.account.id, key_id)).enabled
    assert log_lines(caplog) == []


@pytest.mark.F39
async def test_a_webhook_that_is_enabled_again_gets_missed_deliveries(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/status/500")
    await let_fail_since(owner, key_id, FAILING_MS)
    missed = await owner.run(key_id)
    await owner.settled(key_id, missed)
    account_id = owner.account.id

    saved = await owner.store.webhooks.save(account_id, key_id, url=f"{receiver.url}/ok")
    await owner.store.deliveries.redeliver(account_id, key_id, missed)
    again = await owner.settled(key_id, missed, attempts=2)
    fresh = await owner.settled(key_id, await owner.run(key_id))

    assert (saved.enabled, saved.disabled_reason) == (True, "")
    assert again.status is fresh.status is DeliveryStatus.DELIVERED


async def test_a_webhook_that_is_enabled_again_has_five_days_before_it(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/status/500")
    await let_fail_since(owner, key_id, FAILING_MS)
    await owner.settled(key_id, await owner.run(key_id))

    await owner.store.webhooks.save(owner.account.id, key_id, url=f"{receiver.url}/status/500")
    await owner.settled(key_id, await owner.run(key_id), attempts=8)

    assert (await owner.store.webhooks.get(owner.account.id, key_id)).enabled


@pytest.mark.F28
@pytest.mark.parametrize("seconds", [-3_600, 3_600])
async def test_a_worker_whose_clock_is_wrong_signs_with_the_time_of_redis(
    owner: Owner,
    receiver: Receiver,
    walker: Walker,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
) -> None:
    wrong = SimpleNamespace(
        time=lambda: time.time() + seconds, perf_counter=time.perf_counter, monotonic=time.monotonic
    )
    monkeypatch.setattr("workers.webhooks.attempts.time", wrong)
    key_id = await owner.hook("/ok")

    await owner.settled(key_id, await owner.run(key_id))

    [request] = receiver.received
    assert abs(request.at - int(request.headers["webhook-timestamp"])) < PATIENCE_SECONDS
    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)


@pytest.mark.F39
async def test_one_failure_in_three_never_disables(
    owner: Owner, walker: Walker, caplog: pytest.LogCaptureFixture
) -> None:
    key_id = await owner.hook("/thirds")
    for _ in range(ATTEMPTS // 3):
        delivery = await owner.settled(key_id, await owner.run(key_id))
        assert delivery.status is DeliveryStatus.DELIVERED
        # The receiver's next failure comes four days after the one that was counted.
        name = keyspace.webhook(owner.account.id, key_id)
        failing = await owner.store.client.send("HGET", name, "failing_since")
        assert failing is None
        await let_fail_since(owner, key_id, FAILING_MS - DAY_MS)

    assert (await owner.store.webhooks.get(owner.account.id, key_id)).enabled
    assert log_lines(caplog) == []
