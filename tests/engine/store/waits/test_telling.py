"""Those who are told of a wait: watchers, readers of the account's events, and webhooks."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.executions.events import EventName
from engine.executions.node_waits import NodeWait
from engine.store import Account, Store
from engine.store.accounts.account_events import ChangeKind
from engine.store.redis import keyspace
from engine.store.waits.records import wait_field
from engine.store.waits.telling import wait_delivery_id
from engine.store.webhooks.deliveries import ClaimedDelivery
from engine.store.webhooks.owners import run_owner
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.events import EVENTS, WAITING
from engine.webhooks.schedule import DeliveryVerdict
from tests.support.store.child_runs import NODE, NODE_ID
from tests.support.store.records import save
from tests.support.waits.runs import ASK, DELAY, WaitRuns

DONE = DeliveryVerdict(status=DeliveryStatus.DELIVERED)
AGAIN = DeliveryVerdict(status=DeliveryStatus.PENDING)
URL = "https://example.com/told"


@pytest.fixture
async def told(store: Store, account: Account) -> "ToldRuns":
    return ToldRuns(store, account, await save(store, account))


class ToldRuns(WaitRuns):
    """A root with a webhook of its own, whose first node waits or has a child that does."""

    async def begin_told(self, *events: str, may_approve: bool = True, **options: Any) -> None:
        """Accept a root whose webhook asks for events."""
        execution_id = "0196f6a0-0000-7000-8000-000000000001"
        sealed = await self.store.webhooks.seal(
            self.account.id, run_owner(execution_id), "a secret of the run"
        )
        webhook = RunWebhook(
            url=URL, events=events, is_own=True, sealed_secret=sealed, may_approve=may_approve
        )
        await self.begin_root(execution_id=execution_id, webhook=webhook, **options)

    async def delivery(self, execution_id: str = "") -> ClaimedDelivery | None:
        """Claim the delivery of the wait of an execution, by default of the root."""
        delivery_id = wait_delivery_id(self.root_id, execution_id or self.root_id, NODE)
        reference = keyspace.reference(self.account.id, delivery_id)
        receiver = await self.store.deliveries.find_receiver(reference)
        if receiver is None:
            return None
        return await self.store.deliveries.claim(reference, receiver)

    async def seen(self, execution_id: str) -> Sequence[NodeWait | None]:
        """Return the waits of which watchers of an execution were told, read anew."""
        page = await self.store.events.read(self.account.id, execution_id, 1)
        found = [event for entry in page.entries for event in entry.events()]
        return [each.wait for each in found if each.name is EventName.EXECUTION_WAITING]

    async def changes(self) -> Sequence[str]:
        """Return the waits of which readers of the account's events are told."""
        now = await self.store.leases.now()
        read = await self.store.account_events.read_since(self.account.id, 1)
        while read.until <= now:  # a millisecond is read once it is over
            read = await self.store.account_events.read_since(self.account.id, 1)
        return [each.id for each in read.events if each.kind is ChangeKind.WAITING]


async def test_a_webhook_that_asks_for_it_is_told_of_a_wait_once(told: ToldRuns) -> None:
    await told.begin_told(*EVENTS)
    for _ in range(2):  # as if the first reply were lost
        await told.wait()

    delivery = await told.delivery()

    assert delivery is not None and delivery.wait is not None
    assert (delivery.event, delivery.execution_id) == (WAITING, told.root_id)
    assert (delivery.sequence, delivery.spent, delivery.may_approve) == (2, 0, True)
    assert (delivery.wait.node_id, delivery.wait.execution_id) == (NODE_ID, told.root_id)
    assert (delivery.wait.title, delivery.wait.fields) == (ASK.title, ASK.fields)
    pending = keyspace.webhook(told.account.id, run_owner(told.root_id))
    assert await told.store.client.send("HGET", pending, "pending") == b"2"  # with the start


@pytest.mark.parametrize("events", [("execution.started",), ("execution.completed",)])
async def test_another_webhook_is_not_told(told: ToldRuns, events: tuple[str, ...]) -> None:
    await told.begin_told(*events)
    await told.wait()

    assert await told.delivery() is None


async def test_the_setter_of_the_url_decides_on_links(told: ToldRuns, store: Store) -> None:
    key, _ = await store.api_keys.create(
        told.account, name="k", capabilities=["workflow:run", "webhook:receive"]
    )
    await store.webhooks.save(told.account.id, key.id, url=URL, events=[WAITING])
    webhook = await store.webhooks.in_force(told.account.id, key.id)
    await told.begin_root(webhook=webhook, key_id=key.id)
    await told.wait()

    # A session sets another URL: the delivery still goes to the first one.
    await store.webhooks.save(told.account.id, key.id, url=f"{URL}/other", may_approve=True)
    delivery = await told.delivery()

    assert delivery is not None
    assert (delivery.url, delivery.may_approve, delivery.sequence) == (URL, False, 1)


async def test_the_root_is_told_of_a_wait_of_its_child(told: ToldRuns) -> None:
    await told.begin_told(WAITING, may_approve=False)
    await told.seen(told.root_id)  # watches it
    await told.open(1)
    await told.begin(0)
    await told.ask_in_child(0)

    delivery = await told.delivery(told.child_id(0))

    assert delivery is not None and delivery.wait is not None
    assert delivery.execution_id == told.root_id
    assert (delivery.wait.execution_id, delivery.may_approve) == (told.child_id(0), False)
    [seen] = await told.seen(told.root_id)
    assert seen is not None and (seen.execution_id, seen.title) == (told.child_id(0), ASK.title)
    assert await told.changes() == [f"{told.child_id(0)}/{NODE}"]


async def test_values_go_with_the_record_and_the_end_of_the_delivery(
    told: ToldRuns, store: Store
) -> None:
    await told.begin_told(WAITING)
    key = keyspace.execution(told.account.id, told.root_id)
    await store.client.send("HSET", key, "values", "none")
    await told.seen(told.root_id)
    await told.wait()

    delivery, [asked] = await told.delivery(), await told.seen(told.root_id)
    assert delivery is not None
    await store.deliveries.settle(delivery, Attempt(at=delivery.now), AGAIN)
    repeated = await told.delivery()
    assert repeated is not None
    await store.deliveries.settle(repeated, Attempt(at=delivery.now), DONE)
    await store.deliveries.redeliver(told.account.id, None, delivery.id)
    ended = await told.delivery()
    field = wait_field(NODE)
    kept = await store.client.send("HGET", key, field)
    await store.client.send("HSET", key, field, kept.partition(b"\n")[0])  # as the end leaves it
    [gone] = await told.seen(told.root_id)

    assert asked is not None and (asked.title, asked.has_values) == (ASK.title, True)
    assert delivery.wait is not None and delivery.wait.title == ASK.title
    assert repeated.wait == delivery.wait
    assert ended is not None and ended.wait is not None
    assert (ended.wait.title, ended.wait.has_values) == ("", False)
    assert gone is not None and (gone.title, gone.has_values) == ("", False)
    assert gone.until == asked.until == ended.wait.until


async def test_nobody_is_told_of_a_wait_in_another_accounts_workflow(
    told: ToldRuns, store: Store
) -> None:
    await told.begin_told(WAITING)
    key = keyspace.execution(told.account.id, told.root_id)
    await store.client.send("HSET", key, "owner", "another")
    await told.wait(DELAY)

    assert await told.delivery() is None
    assert await told.changes() == []
