"""The outbox: written with an execution's end, claimed by lease and fence, settled once."""

from dataclasses import dataclass

import pytest

from engine.errors import InvalidWebhook, NotFound
from engine.executions.execution import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.deliveries import ClaimedDelivery, DeliveryReceiver
from engine.store.executions.steps import Step
from engine.store.redis import keyspace
from engine.store.redis.records import pack
from engine.webhooks.deliveries import GONE_REASON, Attempt, DeliveryStatus, DeliveryVerdict
from tests.support.store.records import BOTH_DONE, save
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
            webhook_key_id=claimed.webhook_key_id,
        )
        for _ in range(2):  # as if the first reply were lost
            await self.store.walks.advance(claimed.lease, 1, step)

    async def claim(self, token: str = "") -> ClaimedDelivery | None:
        receiver = await self.store.deliveries.receiver_of(self.reference)
        return await self.store.deliveries.claim(self.reference, receiver or self.receiver, token)

    @property
    def receiver(self) -> DeliveryReceiver:
        return DeliveryReceiver(key_id=self.key_id, url=URL)

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
async def told(store: Store, account: Account) -> NotifiedExecution:
    capabilities = ["workflow:run", "webhook:receive"]
    key, _ = await store.api_keys.create(account, name="k", capabilities=capabilities)
    await store.webhooks.save(account.id, key.id, url=URL, secret="a secret of its own")
    workflow, plan = await save(store, account)
    accepted = await store.executions.accept(
        account_id=account.id,
        workflow=workflow,
        plan=plan,
        inputs={},
        source="api-workflow",
        key_id=key.id,
        webhook_url=URL,
    )
    return NotifiedExecution(store, account, key.id, accepted.id)


@pytest.mark.parametrize(
    "status", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED]
)
async def test_the_end_and_its_delivery_are_written_together_and_once(
    told: NotifiedExecution, status: ExecutionStatus
) -> None:
    assert await told.store.client.send("EXISTS", told.key) == 0

    await told.end(status)

    rows, _ = await told.store.deliveries.list(told.account.id, told.key_id, limit=10)
    assert [(row.id, row.event, row.status) for row in rows] == [
        (told.execution_id, f"execution.{status.value}", DeliveryStatus.PENDING)
    ]
    assert (
        await told.store.client.send("LRANGE", keyspace.hints("deliver"), 0, -1)
        == [b"deliver|" + told.reference.encode()] * 2
    )


async def test_an_immediate_cancel_makes_a_delivery_too(told: NotifiedExecution) -> None:
    await told.store.executions.cancel(told.account.id, told.execution_id)

    delivery = await told.store.deliveries.get(told.account.id, told.key_id, told.execution_id)

    assert delivery.event == "execution.cancelled"
    hints = await told.store.client.send("LRANGE", keyspace.hints("deliver"), 0, -1)
    assert hints == [b"deliver|" + told.reference.encode()]


async def test_an_execution_of_a_full_redis_ends_with_its_delivery(told: NotifiedExecution) -> None:
    await told.store.client.send("CONFIG", "SET", "maxmemory", 1)

    await told.end()

    assert await told.store.deliveries.receiver_of(told.reference) == told.receiver


async def test_an_execution_without_a_webhook_leaves_nothing_to_deliver(
    store: Store, told: NotifiedExecution
) -> None:
    await store.client.send("HDEL", keyspace.execution(told.account.id, told.execution_id), "hook")

    await told.end()

    assert not [key for key in await contents(store.client) if b"deliver" in key]


async def test_a_claim_is_answered_again_and_refused_to_others_until_its_lease_is_over(
    told: NotifiedExecution,
) -> None:
    await told.end()

    first, again = await told.claimed("token"), await told.claimed("token")
    other = await told.claim("other")
    await told.let_time_pass()
    later = await told.claimed("other")

    assert first.fence == again.fence == 1
    assert first.secrets == ("a secret of its own",)
    assert other is None
    assert (later.fence, later.lost, later.tries) == (2, 1, 0)


async def test_a_sender_that_came_too_late_changes_nothing(told: NotifiedExecution) -> None:
    await told.end()
    dead = await told.claimed()
    await told.let_time_pass()
    living = await told.claimed()

    assert await told.settle(dead, AGAIN) is None
    assert await told.settle(living, DELIVERED) is DeliveryStatus.DELIVERED
    assert await told.settle(living, AGAIN) is DeliveryStatus.DELIVERED
    assert await told.settle(dead, AGAIN) is None
    delivery = await told.store.deliveries.get(told.account.id, told.key_id, told.execution_id)
    assert len(delivery.attempts) == 1


async def test_before_the_next_attempt_is_due_nobody_claims_it(told: NotifiedExecution) -> None:
    await told.end()
    claimed = await told.claimed()

    status = await told.settle(claimed, AGAIN)
    early = await told.claim()
    delivery = await told.store.deliveries.get(told.account.id, told.key_id, told.execution_id)
    await told.let_time_pass()
    later = await told.claimed()

    assert status is DeliveryStatus.PENDING
    assert early is None
    assert (delivery.next_attempt_at or 0) >= claimed.now + 30_000
    assert (later.tries, later.lost) == (1, 0)


async def test_an_attempt_on_record_ends_the_count_of_attempts_that_were_lost(
    told: NotifiedExecution,
) -> None:
    await told.end()

    async def lose(times: int) -> int:
        for _ in range(times):
            await told.claimed()
            await told.let_time_pass()
        return (await told.claimed()).lost

    before = await lose(5)
    await told.let_time_pass()
    await told.settle(await told.claimed(), AGAIN)
    await told.let_time_pass()
    after = await lose(2)

    assert (before, after) == (5, 2)


async def test_the_sweeper_gets_unclaimed_deliveries_and_those_of_dead_senders(
    told: NotifiedExecution,
) -> None:
    await told.end()
    due = keyspace.deliveries_due(partition_of(told.account.id))

    early = (await told.store.deliveries.promote()).references
    await told.store.client.send("ZADD", due, 1, told.reference)
    unclaimed = (await told.store.deliveries.promote()).references
    await told.claimed()
    leased = await told.store.client.send("ZSCORE", due, told.reference)
    await told.store.client.send("ZADD", due, 1, told.reference)
    given_back = (await told.store.deliveries.promote()).references

    assert (early, unclaimed, given_back) == ([], [told.reference], [told.reference])
    assert leased > await told.store.leases.now() + 15_000


async def test_an_ended_or_missing_delivery_is_not_promoted_again(told: NotifiedExecution) -> None:
    await told.end()
    due = keyspace.deliveries_due(partition_of(told.account.id))
    await told.settle(await told.claimed(), DELIVERED)
    after_delivery = await told.store.client.send("ZCARD", due)
    await told.store.client.send("DEL", told.key)
    await told.store.client.send("ZADD", due, 1, told.reference)

    claimed = await told.claim()

    assert (after_delivery, claimed) == (0, None)
    assert await told.store.client.send("ZCARD", due) == 0


async def test_gone_disables_a_webhook_unless_it_leads_elsewhere_by_now(
    told: NotifiedExecution,
) -> None:
    gone = Judgement(status=DeliveryStatus.FAILED, disables=GONE_REASON)
    webhooks, owner = told.store.webhooks, (told.account.id, told.key_id)
    await told.end()
    await webhooks.save(*owner, url="https://example.com/new")
    await told.settle(await told.claimed(), gone)
    elsewhere = await webhooks.get(*owner)
    await told.store.deliveries.redeliver(*owner, told.execution_id)
    await told.settle(await told.claimed(), gone)
    here = await webhooks.get(*owner)
    await webhooks.save(*owner, url="https://example.com/new")
    enabled = await webhooks.get(*owner)

    assert elsewhere.enabled
    assert (here.enabled, here.disabled_reason) == (False, GONE_REASON)
    assert (enabled.enabled, enabled.disabled_reason) == (True, "")


async def test_a_disabling_is_reported_to_its_attempt_after_each_repetition(
    told: NotifiedExecution,
) -> None:
    gone = Judgement(status=DeliveryStatus.FAILED, disables=GONE_REASON)
    await told.end()
    claimed = await told.claimed()
    attempt = Attempt(at=claimed.now, status=410, duration_ms=5)
    deliveries = told.store.deliveries

    settled = [await deliveries.settle(claimed, attempt, gone) for _ in range(2)]
    await told.store.client.send("HSET", told.key, "status", "pending")
    await told.let_time_pass()
    claimed = await told.claimed()
    later = [await deliveries.settle(claimed, attempt, gone) for _ in range(2)]

    assert [each and each.disabled_reason for each in settled] == [GONE_REASON] * 2
    assert [each and each.disabled_reason for each in later] == [""] * 2


async def test_a_saved_webhook_has_five_days_to_work_again(
    told: NotifiedExecution,
) -> None:
    owner = (told.account.id, told.key_id)
    await told.end()
    await told.store.client.send("HSET", keyspace.webhook(*owner), "failing", 1)  # since 1970

    await told.store.webhooks.save(*owner, url=URL)
    status = await told.settle(await told.claimed(), AGAIN)

    assert status is DeliveryStatus.PENDING
    assert (await told.store.webhooks.get(*owner)).enabled


async def test_redelivery_begins_the_schedule_afresh_at_the_url_of_now(
    told: NotifiedExecution,
) -> None:
    owner = (told.account.id, told.key_id)
    await told.end()
    await told.settle(await told.claimed(), DeliveryVerdict(status=DeliveryStatus.FAILED))
    await told.store.webhooks.save(*owner, url="https://example.com/new")

    again = await told.store.deliveries.redeliver(*owner, told.execution_id)
    claimed = await told.claimed()
    meanwhile = await told.store.deliveries.redeliver(*owner, told.execution_id)

    assert again.status is meanwhile.status is DeliveryStatus.PENDING
    assert (claimed.url, claimed.tries) == ("https://example.com/new", 0)
    assert await told.claim() is None  # the delivery was in progress already


async def test_a_delivery_that_goes_elsewhere_by_now_is_not_claimed_and_its_hint_is_sent_again(
    told: NotifiedExecution,
) -> None:
    """A worker has a turn at the host of the URL that it has read."""
    owner = (told.account.id, told.key_id)
    await told.end()
    await told.store.webhooks.save(*owner, url="https://example.com/new")
    await told.store.deliveries.redeliver(*owner, told.execution_id)
    await told.store.client.send("DEL", keyspace.hints("deliver"))

    claimed = await told.store.deliveries.claim(told.reference, told.receiver)

    assert claimed is None
    hints = await told.store.client.send("LRANGE", keyspace.hints("deliver"), 0, -1)
    assert hints == [b"deliver|" + told.reference.encode()]
    assert (await told.claimed()).tries == 0


async def test_a_redelivery_ends_a_claim_whose_lease_is_over(told: NotifiedExecution) -> None:
    await told.end()
    lost = await told.claimed("token")
    await told.let_time_pass()

    await told.store.deliveries.redeliver(told.account.id, told.key_id, told.execution_id)
    again = await told.claimed("token")

    assert (lost.fence, again.fence) == (1, 2)
    assert await told.settle(lost, DELIVERED) is None


async def test_nothing_is_redelivered_of_another_key_or_to_a_disabled_webhook(
    told: NotifiedExecution,
) -> None:
    await told.end()
    deliveries = told.store.deliveries
    with pytest.raises(NotFound):
        await deliveries.redeliver(told.account.id, "key_other", told.execution_id)
    await told.store.webhooks.save(told.account.id, told.key_id, url=URL, enabled=False)
    with pytest.raises(InvalidWebhook):
        await deliveries.redeliver(told.account.id, told.key_id, told.execution_id)
    await told.store.webhooks.delete(told.account.id, told.key_id)
    with pytest.raises(NotFound):
        await deliveries.redeliver(told.account.id, told.key_id, told.execution_id)


async def test_an_attempt_after_an_attempt_is_kept_up_to_sixteen(told: NotifiedExecution) -> None:
    await told.end()
    for _ in range(20):
        await told.let_time_pass()
        await told.settle(await told.claimed(), AGAIN)

    delivery = await told.store.deliveries.get(told.account.id, told.key_id, told.execution_id)

    assert len(delivery.attempts) == 16


async def test_deliveries_are_kept_as_long_as_executions(told: NotifiedExecution) -> None:
    await told.end()
    listed = keyspace.webhook_deliveries(told.account.id, told.key_id)
    month = 30 * 86_400_000

    for key in (told.key, listed):
        assert month - 60_000 < await told.store.client.send("PTTL", key) <= month
    await told.store.client.send("DEL", told.key)
    assert await told.store.deliveries.list(told.account.id, told.key_id, limit=10) == ([], None)
    assert await told.store.client.send("EXISTS", listed) == 0


async def test_a_webhooks_list_drops_old_deliveries(told: NotifiedExecution) -> None:
    listed = keyspace.webhook_deliveries(told.account.id, told.key_id)
    month_ago = await told.store.leases.now() - 30 * 86_400_000
    for number in range(12):
        await told.store.client.send("ZADD", listed, month_ago, f"old{number}")

    await told.end()

    assert await told.store.client.send("ZCARD", listed) == 3  # each new one removes ten


async def test_the_secret_before_is_valid_for_a_day(told: NotifiedExecution) -> None:
    owner = (told.account.id, told.key_id)
    await told.end()
    saved = await told.store.webhooks.save(*owner, url=URL, makes_secret=True)
    both = await told.claimed("token")
    await told.store.client.send("HSET", keyspace.webhook(*owner), "old_until", both.now)
    await told.let_time_pass()
    one = await told.claimed()

    assert both.secrets == (saved.made_secret, "a secret of its own")
    assert one.secrets == (saved.made_secret,)


async def test_a_revoked_keys_webhook_is_kept_for_its_deliveries_and_then_removed(
    told: NotifiedExecution,
) -> None:
    await told.store.api_keys.revoke(told.key_id)
    await told.end()

    assert (await told.claimed()).secrets == ("a secret of its own",)
    key = keyspace.webhook(told.account.id, told.key_id)
    assert await told.store.client.send("PTTL", key) > 0
    with pytest.raises(NotFound):
        await told.store.webhooks.save(told.account.id, told.key_id, url=URL)
