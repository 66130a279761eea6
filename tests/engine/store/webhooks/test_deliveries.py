"""The outbox: written with an execution's end, claimed by lease and fence, settled once."""

from dataclasses import dataclass

import pytest

from engine.errors import InvalidWebhook, NotFound
from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.redis import keyspace, process_keys
from engine.store.redis.record_packing import pack
from engine.store.webhooks.deliveries import ClaimedDelivery, DeliveryReceiver
from engine.store.webhooks.delivery_reads import parse_delivery
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.schedule import GONE_REASON, DeliveryVerdict
from tests.support.store.records import BOTH_DONE, accept, save
from tests.support.store.redis_contents import contents

URL = "https://example.com/hook"
DELIVERED = DeliveryVerdict(status=DeliveryStatus.DELIVERED)
AGAIN = DeliveryVerdict(status=DeliveryStatus.PENDING, delay_seconds=30.0)


@dataclass(frozen=True)
class NotifiedExecution:
    """Execution with a webhook, and the key that began it."""

    store: Store
    account: Account
    key_id: str
    execution_id: str

    @property
    def reference(self) -> str:
        return keyspace.reference(self.account.id, self.execution_id)

    @property
    def key(self) -> str:
        return keyspace.delivery(self.account.id, self.execution_id)

    async def end(self, status: ExecutionStatus = ExecutionStatus.COMPLETED) -> None:
        claimed = await self.store.walks.claim(self.reference, "w1", "token")
        assert claimed is not None
        step = Step(
            settled=BOTH_DONE,
            end=status,
            result=pack({"text": "hi"}),
            webhook=claimed.webhook,
        )
        for _ in range(2):  # as if the first reply were lost
            await self.store.walks.advance(claimed.lease, 1, step)

    async def claim(self, token: str = "") -> ClaimedDelivery | None:
        receiver = await self.store.deliveries.find_receiver(self.reference)
        return await self.store.deliveries.claim(self.reference, receiver or self.receiver, token)

    @property
    def receiver(self) -> DeliveryReceiver:
        return DeliveryReceiver(owner=self.key_id, url=URL)

    async def claimed(self, token: str = "") -> ClaimedDelivery:
        found = await self.claim(token)
        assert found is not None
        return found

    async def settle(
        self, claimed: ClaimedDelivery, judgement: DeliveryVerdict
    ) -> DeliveryStatus | None:
        attempt = Attempt(at=claimed.now, status=200, duration_ms=5, body="ok")
        settled = await self.store.deliveries.settle(claimed, attempt, judgement)
        return settled.status if settled else None

    async def let_time_pass(self) -> None:
        """Let the lease, or the pause before the next attempt, expire."""
        await self.store.client.send("HSET", self.key, "next", 1)


@pytest.fixture
async def notified(store: Store, account: Account) -> NotifiedExecution:
    capabilities = ["workflow:run", "webhook:receive"]
    key, _ = await store.api_keys.create(account, name="k", capabilities=capabilities)
    await store.webhooks.save(account.id, key.id, url=URL, secret="a secret of its own")
    saved = await save(store, account)
    accepted = await accept(store, account, *saved, key_id=key.id, webhook_url=URL)
    return NotifiedExecution(store, account, key.id, accepted.id)


@pytest.mark.F12
@pytest.mark.parametrize(
    "status", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED]
)
async def test_the_end_and_its_delivery_are_written_together_and_once(
    notified: NotifiedExecution, status: ExecutionStatus
) -> None:
    assert await notified.store.client.send("EXISTS", notified.key) == 0

    await notified.end(status)

    rows, _ = await notified.store.deliveries.list(notified.account.id, notified.key_id, limit=10)
    assert [(row.id, row.event, row.status) for row in rows] == [
        (notified.execution_id, f"execution.{status.value}", DeliveryStatus.PENDING)
    ]
    assert (
        await notified.store.client.send("LRANGE", process_keys.hints("deliver"), 0, -1)
        == [b"deliver|" + notified.reference.encode()] * 2
    )


async def test_an_immediate_cancel_makes_a_delivery_too(notified: NotifiedExecution) -> None:
    await notified.store.executions.cancel(notified.account.id, notified.execution_id)

    delivery = await notified.store.deliveries.get(
        notified.account.id, notified.key_id, notified.execution_id
    )

    assert delivery.event == "execution.cancelled"
    hints = await notified.store.client.send("LRANGE", process_keys.hints("deliver"), 0, -1)
    assert hints == [b"deliver|" + notified.reference.encode()]


async def test_an_execution_of_a_full_redis_ends_with_its_delivery(
    notified: NotifiedExecution,
) -> None:
    await notified.store.client.send("CONFIG", "SET", "maxmemory", 1)

    await notified.end()

    assert await notified.store.deliveries.find_receiver(notified.reference) == notified.receiver


async def test_an_execution_without_a_webhook_leaves_nothing_to_deliver(
    store: Store, notified: NotifiedExecution
) -> None:
    await store.client.send(
        "HDEL", keyspace.execution(notified.account.id, notified.execution_id), "webhook_url"
    )

    await notified.end()

    assert not [key for key in await contents(store.client) if b"deliver" in key]


@pytest.mark.F11
async def test_a_claim_is_answered_again_and_refused_to_others_until_its_lease_is_over(
    notified: NotifiedExecution,
) -> None:
    await notified.end()

    first, again = await notified.claimed("token"), await notified.claimed("token")
    other = await notified.claim("other")
    await notified.let_time_pass()
    later = await notified.claimed("other")

    assert first.fence == again.fence == 1
    assert first.secrets == ("a secret of its own",)
    assert other is None
    assert (later.fence, later.lost, later.tries) == (2, 1, 0)


@pytest.mark.F11
async def test_a_sender_that_came_too_late_changes_nothing(notified: NotifiedExecution) -> None:
    await notified.end()
    dead = await notified.claimed()
    await notified.let_time_pass()
    living = await notified.claimed()

    assert await notified.settle(dead, AGAIN) is None
    assert await notified.settle(living, DELIVERED) is DeliveryStatus.DELIVERED
    assert await notified.settle(living, AGAIN) is DeliveryStatus.DELIVERED
    assert await notified.settle(dead, AGAIN) is None
    delivery = await notified.store.deliveries.get(
        notified.account.id, notified.key_id, notified.execution_id
    )
    assert len(delivery.attempts) == 1


async def test_before_the_next_attempt_is_due_nobody_claims_it(notified: NotifiedExecution) -> None:
    await notified.end()
    claimed = await notified.claimed()

    status = await notified.settle(claimed, AGAIN)
    early = await notified.claim()
    delivery = await notified.store.deliveries.get(
        notified.account.id, notified.key_id, notified.execution_id
    )
    await notified.let_time_pass()
    later = await notified.claimed()

    assert status is DeliveryStatus.PENDING
    assert early is None
    assert (delivery.next_attempt_at or 0) >= claimed.now + 30_000
    assert (later.tries, later.lost) == (1, 0)


async def test_an_attempt_on_record_ends_the_count_of_attempts_that_were_lost(
    notified: NotifiedExecution,
) -> None:
    await notified.end()

    async def lose(times: int) -> int:
        for _ in range(times):
            await notified.claimed()
            await notified.let_time_pass()
        return (await notified.claimed()).lost

    before = await lose(5)
    await notified.let_time_pass()
    await notified.settle(await notified.claimed(), AGAIN)
    await notified.let_time_pass()
    after = await lose(2)

    assert (before, after) == (5, 2)


async def test_the_sweeper_gets_unclaimed_deliveries_and_those_of_dead_senders(
    notified: NotifiedExecution,
) -> None:
    await notified.end()
    due = keyspace.deliveries_due(partition_of(notified.account.id))

    early = (await notified.store.deliveries.promote()).references
    await notified.store.client.send("ZADD", due, 1, notified.reference)
    unclaimed = (await notified.store.deliveries.promote()).references
    await notified.claimed()
    leased = await notified.store.client.send("ZSCORE", due, notified.reference)
    await notified.store.client.send("ZADD", due, 1, notified.reference)
    given_back = (await notified.store.deliveries.promote()).references

    assert (early, unclaimed, given_back) == ([], [notified.reference], [notified.reference])
    assert leased > await notified.store.leases.now() + 15_000


async def test_an_ended_or_missing_delivery_is_not_promoted_again(
    notified: NotifiedExecution,
) -> None:
    await notified.end()
    due = keyspace.deliveries_due(partition_of(notified.account.id))
    await notified.settle(await notified.claimed(), DELIVERED)
    after_delivery = await notified.store.client.send("ZCARD", due)
    await notified.store.client.send("DEL", notified.key)
    await notified.store.client.send("ZADD", due, 1, notified.reference)

    claimed = await notified.claim()

    assert (after_delivery, claimed) == (0, None)
    assert await notified.store.client.send("ZCARD", due) == 0


async def test_gone_disables_a_webhook_unless_it_leads_elsewhere_by_now(
    notified: NotifiedExecution,
) -> None:
    gone = DeliveryVerdict(status=DeliveryStatus.FAILED, disables=GONE_REASON)
    webhooks, owner = notified.store.webhooks, (notified.account.id, notified.key_id)
    await notified.end()
    await webhooks.save(*owner, url="https://example.com/new")
    await notified.settle(await notified.claimed(), gone)
    elsewhere = await webhooks.get(*owner)
    await notified.store.deliveries.redeliver(*owner, notified.execution_id)
    await notified.settle(await notified.claimed(), gone)
    here = await webhooks.get(*owner)
    await webhooks.save(*owner, url="https://example.com/new")
    enabled = await webhooks.get(*owner)

    assert elsewhere.enabled
    assert (here.enabled, here.disabled_reason) == (False, GONE_REASON)
    assert (enabled.enabled, enabled.disabled_reason) == (True, "")


async def test_a_disabling_is_reported_to_its_attempt_after_each_repetition(
    notified: NotifiedExecution,
) -> None:
    gone = DeliveryVerdict(status=DeliveryStatus.FAILED, disables=GONE_REASON)
    await notified.end()
    claimed = await notified.claimed()
    attempt = Attempt(at=claimed.now, status=410, duration_ms=5)
    deliveries = notified.store.deliveries

    settled = [await deliveries.settle(claimed, attempt, gone) for _ in range(2)]
    await notified.store.client.send("HSET", notified.key, "status", "pending")
    await notified.let_time_pass()
    claimed = await notified.claimed()
    later = [await deliveries.settle(claimed, attempt, gone) for _ in range(2)]

    assert [each and each.disabled_reason for each in settled] == [GONE_REASON] * 2
    assert [each and each.disabled_reason for each in later] == [""] * 2


async def test_a_saved_webhook_has_five_days_to_work_again(
    notified: NotifiedExecution,
) -> None:
    owner = (notified.account.id, notified.key_id)
    await notified.end()
    await notified.store.client.send(
        "HSET", keyspace.webhook(*owner), "failing_since", 1
    )  # since 1970

    await notified.store.webhooks.save(*owner, url=URL)
    status = await notified.settle(await notified.claimed(), AGAIN)

    assert status is DeliveryStatus.PENDING
    assert (await notified.store.webhooks.get(*owner)).enabled


@pytest.mark.A85
async def test_redelivery_begins_the_schedule_afresh_at_the_url_of_now(
    notified: NotifiedExecution,
) -> None:
    owner = (notified.account.id, notified.key_id)
    await notified.end()
    await notified.settle(await notified.claimed(), DeliveryVerdict(status=DeliveryStatus.FAILED))
    await notified.store.webhooks.save(*owner, url="https://example.com/new")

    again = await notified.store.deliveries.redeliver(*owner, notified.execution_id)
    claimed = await notified.claimed()
    meanwhile = await notified.store.deliveries.redeliver(*owner, notified.execution_id)

    assert again.status is meanwhile.status is DeliveryStatus.PENDING
    assert (claimed.url, claimed.tries) == ("https://example.com/new", 0)
    assert await notified.claim() is None  # the delivery was in progress already


async def test_a_delivery_that_goes_elsewhere_by_now_is_not_claimed_and_its_hint_is_sent_again(
    notified: NotifiedExecution,
) -> None:
    """A worker has a turn at the host of the URL that it has read."""
    owner = (notified.account.id, notified.key_id)
    await notified.end()
    await notified.store.webhooks.save(*owner, url="https://example.com/new")
    await notified.store.deliveries.redeliver(*owner, notified.execution_id)
    await notified.store.client.send("DEL", process_keys.hints("deliver"))

    claimed = await notified.store.deliveries.claim(notified.reference, notified.receiver)

    assert claimed is None
    hints = await notified.store.client.send("LRANGE", process_keys.hints("deliver"), 0, -1)
    assert hints == [b"deliver|" + notified.reference.encode()]
    assert (await notified.claimed()).tries == 0


async def test_a_redelivery_ends_a_claim_whose_lease_is_over(notified: NotifiedExecution) -> None:
    await notified.end()
    lost = await notified.claimed("token")
    await notified.let_time_pass()

    await notified.store.deliveries.redeliver(
        notified.account.id, notified.key_id, notified.execution_id
    )
    again = await notified.claimed("token")

    assert (lost.fence, again.fence) == (1, 2)
    assert await notified.settle(lost, DELIVERED) is None


async def test_nothing_is_redelivered_of_another_key_or_to_a_disabled_webhook(
    notified: NotifiedExecution,
) -> None:
    await notified.end()
    deliveries = notified.store.deliveries
    with pytest.raises(NotFound):
        await deliveries.redeliver(notified.account.id, "key_other", notified.execution_id)
    await notified.store.webhooks.save(notified.account.id, notified.key_id, url=URL, enabled=False)
    with pytest.raises(InvalidWebhook):
        await deliveries.redeliver(notified.account.id, notified.key_id, notified.execution_id)
    await notified.store.webhooks.delete(notified.account.id, notified.key_id)
    with pytest.raises(NotFound):
        await deliveries.redeliver(notified.account.id, notified.key_id, notified.execution_id)


async def test_an_attempt_after_an_attempt_is_kept_up_to_sixteen(
    notified: NotifiedExecution,
) -> None:
    await notified.end()
    for _ in range(20):
        await notified.let_time_pass()
        await notified.settle(await notified.claimed(), AGAIN)

    delivery = await notified.store.deliveries.get(
        notified.account.id, notified.key_id, notified.execution_id
    )

    assert len(delivery.attempts) == 16


def test_members_of_an_attempt_by_a_later_version_are_ignored() -> None:
    record = {"status": b"failed", "event": b"execution.failed", "created": b"1"}
    record |= {"key": b"key_1", "url": b"https://example.com"}
    attempt = pack({"at": 5, "status": 500, "of_a_later_version": True})

    found = parse_delivery("d", record | {"a1": attempt, "a2": pack({"at": 9})})

    assert found.attempts == (Attempt(at=5, status=500), Attempt(at=9))


async def test_deliveries_are_kept_as_long_as_executions(notified: NotifiedExecution) -> None:
    await notified.end()
    listed = keyspace.webhook_deliveries(notified.account.id, notified.key_id)
    month = 30 * 86_400_000

    for key in (notified.key, listed):
        assert month - 60_000 < await notified.store.client.send("PTTL", key) <= month
    await notified.store.client.send("DEL", notified.key)
    assert await notified.store.deliveries.list(notified.account.id, notified.key_id, limit=10) == (
        [],
        None,
    )
    assert await notified.store.client.send("EXISTS", listed) == 0


async def test_a_webhooks_list_drops_old_deliveries(notified: NotifiedExecution) -> None:
    listed = keyspace.webhook_deliveries(notified.account.id, notified.key_id)
    month_ago = await notified.store.leases.now() - 30 * 86_400_000
    for number in range(12):
        await notified.store.client.send("ZADD", listed, month_ago, f"old{number}")

    await notified.end()

    assert await notified.store.client.send("ZCARD", listed) == 3  # each new one removes ten


async def test_the_secret_before_is_valid_for_a_day(notified: NotifiedExecution) -> None:
    owner = (notified.account.id, notified.key_id)
    await notified.end()
    saved = await notified.store.webhooks.save(*owner, url=URL, makes_secret=True)
    both = await notified.claimed("token")
    await notified.store.client.send(
        "HSET", keyspace.webhook(*owner), "previous_secret_until", both.now
    )
    await notified.let_time_pass()
    one = await notified.claimed()

    assert both.secrets == (saved.made_secret, "a secret of its own")
    assert one.secrets == (saved.made_secret,)


async def test_a_secret_that_stays_is_not_sent_twice(notified: NotifiedExecution) -> None:
    owner = notified.account.id, notified.key_id
    await notified.end()
    for secret in (None, "a secret of its own"):
        await notified.store.webhooks.save(*owner, url=URL, secret=secret)

    assert (await notified.claimed()).secrets == ("a secret of its own",)


async def test_a_revoked_keys_webhook_is_kept_for_its_deliveries_and_then_removed(
    notified: NotifiedExecution,
) -> None:
    await notified.store.api_keys.revoke(notified.key_id)
    await notified.end()

    assert (await notified.claimed()).secrets == ("a secret of its own",)
    key = keyspace.webhook(notified.account.id, notified.key_id)
    assert await notified.store.client.send("PTTL", key) > 0
    with pytest.raises(NotFound):
        await notified.store.webhooks.save(notified.account.id, notified.key_id, url=URL)


async def test_an_ended_delivery_waits_for_the_history_under_its_attempt(
    notified: NotifiedExecution,
) -> None:
    await notified.end()
    key = keyspace.unarchived_deliveries(partition_of(notified.account.id))
    await notified.settle(await notified.claimed(), AGAIN)
    assert await notified.store.client.send("ZCARD", key) == 0

    await notified.let_time_pass()
    await notified.settle(await notified.claimed(), DELIVERED)

    waiting = await notified.store.client.send("ZRANGE", key, 0, -1)
    assert waiting == [f"{notified.reference}/2".encode()]
