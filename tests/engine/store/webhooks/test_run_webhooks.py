"""Webhooks of single runs: written with the acceptance, told in order, forgotten after the last."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from engine.errors import DeliveryNotRedeliverable
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.idempotency import IdempotencyKey
from engine.store import Account, IdempotentReplay, Store
from engine.store.accounts.erasure import AccountKeys
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.executions.advance import Step
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.webhooks.delivery_keys import node_delivery_id
from engine.store.webhooks.owners import key_of, run_owner
from engine.store.webhooks.run_webhooks import RunWebhook, start_id
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.events import ENDS, EVENTS
from engine.webhooks.schedule import GONE_REASON, DeliveryVerdict
from tests.support.store.records import BOTH_DONE, FIRST_DONE, NotAccepted, accept, save
from tests.support.store.redis_contents import contents

URL = "https://example.com/run"
SECRET = "the secret of one run"
DELIVERED = DeliveryVerdict(status=DeliveryStatus.DELIVERED)
GONE = DeliveryVerdict(status=DeliveryStatus.FAILED, disables=GONE_REASON)


@dataclass(frozen=True)
class ToldRun:
    """Accepted execution with a webhook of its own."""

    store: Store
    account: Account
    execution_id: str

    @property
    def owner(self) -> str:
        return run_owner(self.execution_id)

    @property
    def start(self) -> str:
        return start_id(self.execution_id)

    def node(self, index: int) -> str:
        return node_delivery_id(self.execution_id, index)

    async def step(self, step: Step) -> None:
        """Record a step, twice, as if the first reply were lost."""
        reference = keyspace.reference(self.account.id, self.execution_id)
        claimed = await self.store.walks.claim(reference, "w1", "token")
        assert claimed is not None
        step.webhook = claimed.webhook
        for _ in range(2):
            await self.store.walks.advance(claimed.lease, 1, step)

    async def end(self, settled: list[tuple[int, NodeStatus]] = BOTH_DONE) -> None:
        facts = {index: b"{}" for index, _ in settled} if await self.asks_for_nodes() else {}
        end = ExecutionStatus.COMPLETED
        await self.step(Step(settled=settled, end=end, result=pack("hi"), node_facts=facts))

    async def asks_for_nodes(self) -> bool:
        key = keyspace.execution(self.account.id, self.execution_id)
        events = await self.store.client.send("HGET", key, "webhook_events")
        return b"node.finished" in (events or b"")

    async def settle(self, delivery_id: str, verdict: DeliveryVerdict) -> str | None:
        """Make the attempt that is due; return the secret that signed it."""
        reference = keyspace.reference(self.account.id, delivery_id)
        receiver = await self.store.deliveries.find_receiver(reference)
        assert receiver is not None
        claimed = await self.store.deliveries.claim(reference, receiver)
        assert claimed is not None
        for _ in range(2):  # as if the first reply were lost
            await self.store.deliveries.settle(claimed, Attempt(at=claimed.now), verdict)
        return claimed.secrets[0] if claimed.secrets else None

    async def field(self, delivery_id: str, name: str) -> bytes | None:
        key = keyspace.delivery(self.account.id, delivery_id)
        value: bytes | None = await self.store.client.send("HGET", key, name)
        return value

    async def webhook(self) -> dict[bytes, bytes]:
        key = keyspace.webhook(self.account.id, self.owner)
        reply: dict[bytes, bytes] = await self.store.client.send("HGETALL", key)
        return reply


async def told(
    store: Store,
    account: Account,
    *events: str,
    signer: str = "",
    execution_id: str = "",
    **options: Any,
) -> ToldRun:
    """Accept a run with a webhook of its own, with options of `accept`."""
    execution_id = execution_id or str(uuid.uuid4())
    owner = run_owner(execution_id)
    sealed = b"" if signer else await store.webhooks.seal(account.id, owner, SECRET)
    webhook = RunWebhook(url=URL, events=events or None, is_own=True, sealed_secret=sealed)
    options |= {"execution_id": execution_id, "webhook": webhook, "key_id": signer}
    await accept(store, account, *await save(store, account), **options)
    return ToldRun(store, account, execution_id)


async def test_a_run_that_asks_for_all_is_told_from_its_start_to_its_end_in_order(
    store: Store, account: Account
) -> None:
    run = await told(store, account, *EVENTS)
    await run.step(Step(settled=FIRST_DONE, node_facts={0: b'{"id":"t"}'}, leave=True))
    await run.end(BOTH_DONE[1:])

    ids = (run.start, run.node(0), run.node(1), run.execution_id)
    assert [await run.field(each, "sequence") for each in ids] == [b"1", b"2", b"3", b"4"]
    assert [await run.field(each, "event") for each in ids] == [
        b"execution.started",
        b"node.finished",
        b"node.finished",
        b"execution.completed",
    ]
    assert await run.field(run.node(0), "node") == b'{"id":"t"}'
    rows, _ = await store.deliveries.list(account.id, run.owner, limit=10)
    assert {row.id for row in rows} == set(ids)


@pytest.mark.parametrize("events", [(), ("execution.completed",), EVENTS])
async def test_its_secret_is_forgotten_when_the_last_delivery_has_settled(
    store: Store, account: Account, events: tuple[str, ...]
) -> None:
    run = await told(store, account, *events)
    await run.end()
    rows, _ = await store.deliveries.list(account.id, run.owner, limit=10)
    expected = {run.execution_id} | (
        {run.start, run.node(0), run.node(1)} if events == EVENTS else set()
    )
    assert {row.id for row in rows} == expected

    for left, each in enumerate(sorted(expected, key=str), 1):
        assert (await run.webhook())[b"ended"] == b"1"
        assert await run.settle(each, DELIVERED) == SECRET
        assert bool(await run.webhook()) is (left < len(expected))


async def test_an_end_that_it_does_not_ask_for_leaves_nothing(
    store: Store, account: Account
) -> None:
    run = await told(store, account, "execution.failed")
    assert (await run.webhook())[b"url"] == URL.encode()

    await run.end()

    rows, _ = await store.deliveries.list(account.id, run.owner, limit=10)
    assert rows == []
    assert await run.webhook() == {}


async def test_a_cancelled_run_is_told(store: Store, account: Account) -> None:
    run = await told(store, account)

    await store.executions.cancel(account.id, run.execution_id)

    assert await run.field(run.execution_id, "event") == b"execution.cancelled"
    assert await run.settle(run.execution_id, DELIVERED) == SECRET
    assert await run.webhook() == {}


async def test_a_receiver_that_is_gone_ends_the_deliveries_of_this_run_alone(
    store: Store, account: Account
) -> None:
    key, _ = await store.api_keys.create(
        account, name="k", capabilities=["workflow:run", "webhook:receive"]
    )
    await store.webhooks.save(account.id, key.id, url=f"{URL}/key", secret="secret of the key")
    run = await told(store, account, "execution.started", *ENDS, signer=key.id)

    assert await run.settle(run.start, GONE) == "secret of the key"
    await run.end()

    assert await run.field(run.execution_id, "status") is None
    assert await run.webhook() == {}
    assert (await store.webhooks.get(account.id, key.id)).enabled


async def test_the_secrets_of_a_key_sign_as_they_are_at_the_attempt(
    store: Store, account: Account
) -> None:
    key, _ = await store.api_keys.create(
        account, name="k", capabilities=["workflow:run", "webhook:receive"]
    )
    await store.webhooks.save(account.id, key.id, url=URL, secret="secret of the key")
    run = await told(store, account, signer=key.id)
    await run.end()
    await store.webhooks.save(
        account.id, key.id, url=URL, enabled=False, secret="a newer secret of it"
    )

    assert await run.settle(run.execution_id, DELIVERED) == "a newer secret of it"


async def test_an_execution_stays_for_the_archiver_until_its_webhook_is_done(
    store: Store, account: Account
) -> None:
    run = await told(store, account, *EVENTS)
    await run.end()
    later = await store.leases.now() + 60_000
    ended = EndedExecutions(store.client)
    reference = keyspace.reference(account.id, run.execution_id)
    ids = (run.execution_id, run.start, run.node(0), run.node(1))
    for each in ids:
        assert not await ended.forget(reference, later, "")
        await run.settle(each, DELIVERED)

    assert await ended.forget(reference, later, "")


async def test_an_acceptance_that_is_sent_again_tells_one_start(
    store: Store, account: Account
) -> None:
    run = await told(store, account, *EVENTS)
    before = await contents(store.client)

    again = await told(store, account, *EVENTS, execution_id=run.execution_id)

    after = await contents(store.client)
    names = [name for name in after if run.execution_id.encode() in name]
    assert again.execution_id == run.execution_id
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert (await run.webhook())[b"pending"] == b"1"


async def test_a_delivery_that_exists_is_not_added_again(store: Store, account: Account) -> None:
    run = await told(store, account, *EVENTS)
    key = keyspace.delivery(account.id, run.node(0))
    await store.client.send("HSET", key, "status", "delivered", "node", "the first")

    await run.end()

    assert await run.field(run.node(0), "node") == b"the first"
    assert await run.field(run.node(0), "status") == b"delivered"
    assert (await run.webhook())[b"pending"] == b"3"


async def test_a_repeated_call_opens_no_webhook(store: Store, account: Account) -> None:
    key = IdempotencyKey(digest="digest", fingerprint="fingerprint")
    run = await told(store, account, *EVENTS, idempotency_key=key)

    with pytest.raises(NotAccepted) as repeated:
        await told(store, account, *EVENTS, idempotency_key=key)

    assert isinstance(repeated.value.verdict, IdempotentReplay)
    webhooks = [name for name in await contents(store.client) if b":webhook:" in name]
    assert webhooks == [keyspace.webhook(account.id, run.owner).encode()]


@pytest.mark.parametrize("is_answered", [False, True])
async def test_a_sender_that_dies_after_its_claim_or_its_call_forgets_no_secret(
    store: Store, account: Account, is_answered: bool
) -> None:
    run = await told(store, account)
    await run.end()
    reference = keyspace.reference(account.id, run.execution_id)
    receiver = await store.deliveries.find_receiver(reference)
    assert receiver is not None
    dead = await store.deliveries.claim(reference, receiver)
    assert dead is not None
    key = keyspace.delivery(account.id, run.execution_id)
    await store.client.send("HSET", key, "next", 1)  # its lease expires

    alive = await store.deliveries.claim(reference, receiver)
    assert alive is not None
    if is_answered:  # its answer comes after all
        assert await store.deliveries.settle(dead, Attempt(at=1), DELIVERED) is None
    assert (alive.secrets, alive.lost) == ((SECRET,), 1)
    assert (await run.webhook())[b"pending"] == b"1"
    await store.deliveries.settle(alive, Attempt(at=2), DELIVERED)
    await store.deliveries.settle(alive, Attempt(at=2), DELIVERED)
    assert await run.webhook() == {}


async def test_a_redelivery_keeps_the_secret_until_it_has_ended(
    store: Store, account: Account
) -> None:
    run = await told(store, account, *EVENTS)
    assert await run.settle(run.start, DELIVERED) == SECRET
    await store.deliveries.redeliver(account.id, None, run.start)
    await store.deliveries.redeliver(account.id, None, run.start)
    await run.end()

    for each in (run.execution_id, run.node(0), run.node(1)):
        await run.settle(each, DELIVERED)
    assert (await run.webhook())[b"pending"] == b"1"
    assert await run.settle(run.start, DELIVERED) == SECRET
    assert await run.webhook() == {}
    with pytest.raises(DeliveryNotRedeliverable):
        await store.deliveries.redeliver(account.id, None, run.start)


async def test_erasure_leaves_nothing_of_it(store: Store, account: Account) -> None:
    run = await told(store, account, *EVENTS)
    await run.end()
    keys = AccountKeys(store.client, store.audit, store.workflows)

    await keys.erase_executions(account.id, [run.execution_id])
    await keys.erase(account.id)

    left = [each for each in await contents(store.client) if each != b"hr:hints:deliver"]
    assert [each for each in left if b"deliver" in each or b"webhook" in each] == []


def test_an_owner_is_a_key_or_a_run() -> None:
    assert key_of("key_1") == "key_1"
    assert key_of(run_owner("x")) is None
