"""Deliveries from the end of an execution to a receiver: real store, worker and sockets."""

import base64
import json
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook as StockVerifier

from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store.redis import keyspace, process_keys
from engine.telemetry.metrics import REGISTRY
from engine.webhooks.deliveries import DeliveryStatus
from engine.webhooks.schedule import FAILING_REASON, GONE_REASON
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import greeting, http_fan
from tests.support.http.scripted_server import Target
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.webhook_receivers import Receiver
from tests.support.workers.held_walker import executions_held
from tests.support.workers.webhook_owner import SECRET, Owner
from workers.main import worker
from workers.walk.walker import Walker
from workers.webhooks import attempts

pytestmark = pytest.mark.usefixtures("brisk_sweeper")

SCALE = 0.004
"""Five seconds become 20 ms, ten minutes 2.4 s."""
BUSY_SECONDS = 20.0
"""Time by which attempts may be late on a busy machine."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1, webhook_time_scale=SCALE)


def count_lags() -> float:
    return REGISTRY.get_sample_value("headrace_webhook_lag_seconds_count") or 0.0


async def test_the_end_of_an_execution_is_delivered_once_signed_in_both_schemes(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/ok")
    lags = count_lags()
    execution_id = await owner.run(key_id)

    delivery = await owner.settled(key_id, execution_id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert count_lags() == lags + 1
    assert [(each.status, each.body) for each in delivery.attempts] == [(200, "thank you")]
    [request] = receiver.received
    assert request.headers["content-type"] == "application/json"
    assert request.event["event"] == "execution.completed"
    assert request.event["executionId"] == request.id == execution_id
    assert request.event["userId"] == owner.account.id
    assert request.event["result"] == {"text": "Hello Ada"}
    assert request.event["status"] == "completed"
    stock = StockVerifier(base64.b64encode(SECRET.encode()).decode())
    assert stock.verify(request.body, request.headers) == json.loads(request.body)
    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)


async def test_a_synchronous_run_has_no_delivery(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    await owner.hook("/ok")

    execution = await owner.runner.run(greeting(), {"who": "Ada"})

    assert execution.result == {"text": "Hello Ada"}
    assert await owner.store.client.send("KEYS", "*deliver*") == []


async def test_the_event_of_a_failed_execution_has_its_error(
    owner: Owner, receiver: Receiver, walker: Walker, target: Target
) -> None:
    key_id = await owner.hook("/ok")
    execution_id = await owner.run(key_id, http_fan(f"{target.url}/status/500", 1))

    await owner.settled(key_id, execution_id)

    event = receiver.received[0].event
    assert event["event"] == "execution.failed"
    assert event["error"].keys() == {"code", "message"}
    assert "result" not in event


async def test_a_cancel_is_delivered_for_claimed_and_unclaimed_executions(
    owner: Owner, receiver: Receiver, settings: Settings, target: Target
) -> None:
    key_id = await owner.hook("/ok")
    slug = await owner.runner.save(http_fan(f"{target.url}/slow/5", 1))
    waiting = await owner.begin(slug, key_id)
    await owner.store.executions.cancel(owner.account.id, waiting)
    async with worker(settings):
        held = await owner.begin(slug, key_id)
        await eventually(lambda: _true(target.calls["/slow/5?n=0"]))
        await owner.store.executions.cancel(owner.account.id, held)
        for execution_id in (waiting, held):
            await owner.settled(key_id, execution_id)

    assert [each.event["event"] for each in receiver.received] == ["execution.cancelled"] * 2
    assert {each.event["executionId"] for each in receiver.received} == {waiting, held}


@pytest.mark.F36
async def test_failures_are_tried_again_with_the_same_id_and_body_and_a_fresh_signature(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/fails/3")
    execution_id = await owner.run(key_id)

    delivery = await owner.settled(key_id, execution_id, attempts=4)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert [each.status for each in delivery.attempts] == [500, 500, 500, 200]
    assert len({each.body for each in receiver.received}) == 1
    assert receiver.ids() == {execution_id: 4}
    for request in receiver.received:
        assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)
        assert -1 <= request.at - int(request.headers["webhook-timestamp"]) < PATIENCE_SECONDS
    times = [request.at for request in receiver.received]
    pauses = [after - before for before, after in zip(times, times[1:], strict=False)]
    for pause, wanted in zip(pauses, (5, 30, 120), strict=True):
        assert wanted * SCALE * 0.8 <= pause <= wanted * SCALE * 1.2 + BUSY_SECONDS


@pytest.mark.F38
async def test_after_the_last_attempt_it_is_failed_and_can_be_redelivered(
    redis_url: str, owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    key_id = await owner.hook("/status/503")
    async with worker(replace(settings, webhook_time_scale=0.0)):
        execution_id = await owner.run(key_id)
        failed = await owner.settled(key_id, execution_id, attempts=8)
        url = f"{receiver.url}/ok"
        await owner.store.webhooks.save(owner.account.id, key_id, url=url)
        again = await owner.store.deliveries.redeliver(owner.account.id, key_id, execution_id)
        delivered = await owner.settled(key_id, execution_id, attempts=9)

    assert failed.status is DeliveryStatus.FAILED
    assert [each.status for each in failed.attempts] == [503] * 8
    assert failed.attempts[0].error == "The receiver answered 503"
    assert again.status is DeliveryStatus.PENDING
    assert delivered.status is DeliveryStatus.DELIVERED
    assert receiver.ids() == {execution_id: 9}
    assert len({each.body for each in receiver.received}) == 1


@pytest.mark.A42
@pytest.mark.F38
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(
    owner: Owner, receiver: Receiver, walker: Walker, code: int
) -> None:
    key_id = await owner.hook(f"/moved/{code}")
    execution_id = await owner.run(key_id)

    pending = await eventually(
        lambda: owner.delivery(key_id, execution_id),
        lambda each: each is not None and len(each.attempts) >= 2,
    )

    assert pending is not None
    assert pending.attempts[0].status == code
    assert "not followed" in str(pending.attempts[0].error)
    assert {each.path for each in receiver.received} == {f"/moved/{code}"}


@pytest.mark.F38
async def test_gone_disables_the_webhook_and_says_why(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/status/410")
    execution_id = await owner.run(key_id)

    delivery = await owner.settled(key_id, execution_id)
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    assert delivery.status is DeliveryStatus.FAILED
    assert not webhook.enabled
    assert webhook.disabled_reason == GONE_REASON
    assert await owner.store.webhooks.in_force(owner.account.id, key_id) is None
    assert len(receiver.received) == 1


@pytest.mark.F38
async def test_retry_after_is_honoured(owner: Owner, receiver: Receiver, walker: Walker) -> None:
    key_id = await owner.hook("/later/1")
    execution_id = await owner.run(key_id)

    await owner.settled(key_id, execution_id, attempts=2)

    first, second = receiver.received
    assert 1 <= second.at - first.at < 1.1 + BUSY_SECONDS


async def test_five_days_of_nothing_but_failures_disable_the_webhook(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/status/500")
    key = f"*webhook:{owner.account.id}:{key_id}"
    [name] = await owner.store.client.send("KEYS", key)
    five_days_ago = await owner.store.leases.now() - 5 * 86_400_000
    await owner.store.client.send("HSET", name, "failing_since", five_days_ago)

    execution_id = await owner.run(key_id)
    delivery = await owner.settled(key_id, execution_id)
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    assert delivery.status is DeliveryStatus.FAILED
    assert (webhook.enabled, webhook.disabled_reason) == (False, FAILING_REASON)


async def test_one_success_ends_the_count_of_days(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/fails/2")
    execution_id = await owner.run(key_id)
    await owner.settled(key_id, execution_id, attempts=3)

    [name] = await owner.store.client.send("KEYS", f"*webhook:{owner.account.id}:{key_id}")

    assert await owner.store.client.send("HGET", name, "failing_since") is None


@pytest.mark.F38
async def test_of_a_huge_answer_the_first_two_kibibytes_are_kept(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/huge")
    execution_id = await owner.run(key_id)

    delivery = await owner.settled(key_id, execution_id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert delivery.attempts[0].body == "x" * 2_048
    assert receiver.flooded < 20_000_000  # the sockets' buffers; not the 100 MB


@pytest.mark.F37
async def test_a_receiver_that_hangs_behind_its_head_has_failed(
    owner: Owner, receiver: Receiver, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ATTEMPT_SECONDS", 0.2)
    key_id = await owner.hook("/hang")
    execution_id = await owner.run(key_id)

    pending = await eventually(
        lambda: owner.delivery(key_id, execution_id),
        lambda each: each is not None and len(each.attempts) >= 2,
    )

    assert pending is not None
    assert pending.attempts[0].status is None
    assert pending.attempts[0].error == "No answer within 0.2 s"


@pytest.mark.A62
async def test_an_address_that_is_not_public_is_never_called_though_it_was_saved(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    key_id = await owner.hook("/ok")
    async with worker(replace(settings, allow_private_urls=False, webhook_time_scale=0.0)):
        execution_id = await owner.run(key_id)
        delivery = await owner.settled(key_id, execution_id, attempts=8)

    assert delivery.status is DeliveryStatus.FAILED
    assert {each.status for each in delivery.attempts} == {None}
    assert receiver.received == []


@pytest.mark.F37
async def test_a_slow_receiver_takes_ten_connections_and_delays_no_other(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    slow, quick = await owner.hook("/slow/4"), await owner.hook("/ok")
    slug = await owner.runner.save(greeting())
    for _ in range(15):
        await owner.begin(slug, slow)
    await eventually(lambda: _true(receiver.open >= 10))

    execution_id = await owner.begin(slug, quick)
    delivery = await owner.settled(quick, execution_id)

    event_call = next(each for each in receiver.received if each.path == "/ok")
    execution = await owner.store.executions.head(owner.account.id, execution_id)
    assert delivery.status is DeliveryStatus.DELIVERED
    assert event_call.at - (execution.completed_at or 0) / 1000 < 3
    assert receiver.most_open <= 11


@pytest.mark.parametrize(
    ("lost", "status", "calls"),
    [(5, DeliveryStatus.DELIVERED, 1), (6, DeliveryStatus.FAILED, 0)],
)
async def test_a_delivery_is_given_up_after_six_attempts_in_a_row_were_lost_with_their_workers(
    owner: Owner, receiver: Receiver, settings: Settings, lost: int, status: str, calls: int
) -> None:
    key_id = await owner.hook("/ok")
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)
    delivery_id = (await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)).id
    for _ in range(lost):
        await lose_attempt(owner, delivery_id)

    async with worker(settings):
        delivery = await owner.settled(key_id, delivery_id)

    assert (delivery.status, len(receiver.received)) == (status, calls)
    assert (delivery.attempts[-1].error == attempts.LOST) is not calls


async def lose_attempt(owner: Owner, delivery_id: str) -> None:
    """Claim the delivery as a worker that dies, and let the lease end."""
    deliveries, account_id = owner.store.deliveries, owner.account.id
    key, due = keyspace.delivery(account_id, delivery_id), partition_of(account_id)
    reference = keyspace.reference(account_id, delivery_id)
    await owner.store.client.send("HSET", key, "next", 1)
    receiver = await deliveries.find_receiver(reference)
    assert receiver is not None
    assert await deliveries.claim(reference, receiver) is not None
    await owner.store.client.send("HSET", key, "next", 1)
    await owner.store.client.send("ZADD", keyspace.deliveries_due(due), 1, reference)


async def test_a_stopping_worker_ends_its_attempts_and_sends_back_the_rest(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    key_id = await owner.hook("/slow/0.5")
    slug = await owner.runner.save(greeting())
    async with worker(settings) as walker:
        for _ in range(15):
            await owner.begin(slug, key_id)

        async def has_attempted_all() -> bool:
            listed, _ = await owner.store.deliveries.list(owner.account.id, key_id, limit=100)
            return len(listed) == 15 and receiver.open == 10 and not executions_held(walker)

        await eventually(has_attempted_all)

    rows, _ = await owner.store.deliveries.list(owner.account.id, key_id, limit=100)
    delivered = [row.id for row in rows if row.status is DeliveryStatus.DELIVERED]
    waiting = {row.id for row in rows if row.status is DeliveryStatus.PENDING}
    hints = await owner.store.client.send("LRANGE", process_keys.hints("deliver"), 0, -1)
    assert len(delivered) == len(receiver.received) == 10
    assert len(waiting) == 5
    assert waiting <= {each.decode().rpartition("/")[2] for each in hints}


@pytest.mark.A85
async def test_a_revoked_key_gets_its_event_at_the_url_of_its_submission(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    key_id = await owner.hook("/ok")
    execution_id = await owner.run(key_id)
    await owner.store.webhooks.save(owner.account.id, key_id, url=f"{receiver.url}/elsewhere")
    await owner.store.api_keys.revoke(key_id)
    async with worker(settings):
        await owner.settled(key_id, execution_id)

    assert [each.path for each in receiver.received] == ["/ok"]


async def test_deliveries_of_a_deleted_webhook_fail_without_a_call(
    owner: Owner, receiver: Receiver, settings: Settings
) -> None:
    key_id = await owner.hook("/ok")
    execution_id = await owner.run(key_id)
    await owner.store.webhooks.delete(owner.account.id, key_id)
    async with worker(settings):
        delivery = await owner.settled(key_id, execution_id)

    assert delivery.status is DeliveryStatus.FAILED
    assert delivery.attempts[0].error == "The webhook is disabled or deleted"
    assert receiver.received == []


@pytest.mark.F47
async def test_a_secret_rotated_between_attempts_leaves_both_valid(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/fails/1")
    execution_id = await owner.run(key_id)
    await eventually(lambda: _true(receiver.received))
    url = f"{receiver.url}/fails/1"
    await owner.store.webhooks.save(
        owner.account.id, key_id, url=url, secret="another secret entirely"
    )

    await owner.settled(key_id, execution_id, attempts=2)

    last = receiver.received[-1]
    for secret in (SECRET, "another secret entirely"):
        assert is_knouds_signed(secret, last.headers["x-knouds-signature"], last.body)
        stock = StockVerifier(base64.b64encode(secret.encode()).decode())
        assert stock.verify(last.body, last.headers)


async def test_a_test_event_is_delivered_like_any_other(
    owner: Owner, receiver: Receiver, walker: Walker
) -> None:
    key_id = await owner.hook("/ok")
    webhook = await owner.store.webhooks.get(owner.account.id, key_id)

    added = await owner.store.deliveries.add_test(owner.account.id, key_id, webhook)
    delivery = await owner.settled(key_id, added.id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert delivery.execution_id is None
    assert receiver.received[0].event["event"] == "webhook.test"
    assert receiver.received[0].id == added.id


async def _true(value: object) -> object:
    return value
