"""The sweeper tells callers of dead gateways by the webhooks of their keys, once each."""

import time
from dataclasses import dataclass
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.store.ended import Ending
from tests.support.workers.sweepers import LEASE_SECONDS, make_sweeper
from workers.recovery.clock import RecoveryClock
from workers.recovery.duties import dead_gateways
from workers.recovery.duties.dead_gateways import DeadGateways

DEAD, ALIVE = "hr:notifier:dead", "hr:notifier:alive"


@dataclass(frozen=True)
class Caller:
    """An account whose key has a webhook."""

    ending: Ending
    key_id: str

    @classmethod
    async def of(cls, store: Store, account: Account, name: str = "Echo") -> "Caller":
        ending = await Ending.of(store, account, name)
        return cls(ending, await ending.with_webhook())

    async def wait(self, channel: str = DEAD, **options: Any) -> str:
        """Accept an execution whose caller waits at the gateway with this channel."""
        return await self.ending.accept(key_id=self.key_id, notifier=channel, **options)

    async def deliveries(self) -> list[str]:
        """Return the references of the deliveries to the webhook, sorted."""
        store, account_id = self.ending.store, self.ending.account.id
        key = keyspace.webhook_deliveries(account_id, self.key_id)
        found = await store.client.send("ZRANGE", key, 0, -1)
        return sorted(keyspace.reference(account_id, each.decode()) for each in found)


@pytest.fixture
async def caller(store: Store, account: Account) -> Caller:
    return await Caller.of(store, account)


@pytest.fixture
def clock() -> RecoveryClock:
    return RecoveryClock(LEASE_SECONDS)


@pytest.fixture
def duty(store: Store, clock: RecoveryClock) -> DeadGateways:
    return DeadGateways(store, clock)


async def die(store: Store, channel: str = DEAD, *, silent_ms: int = 0) -> None:
    """Let the lease of a gateway be over that was renewed for the last time so long ago."""
    now = await store.leases.now()
    lease = f"{now - 15_000 - silent_ms}:{now - silent_ms}"
    await store.client.send("HSET", "hr:gateways", channel, lease)


async def run(duty: DeadGateways) -> int:
    """Run a pass to its end; return the number of its parts."""
    parts = 1
    while await duty.run():
        parts += 1
    return parts


async def test_ends_of_waited_executions_are_delivered(
    store: Store, caller: Caller, duty: DeadGateways
) -> None:
    running, ended = await caller.wait(), await caller.wait()
    await store.gateway_leases.renew(ALIVE, 15_000)
    other = await caller.wait(ALIVE)
    await caller.ending.walk(ended)
    await die(store)

    await run(duty)
    first = await caller.deliveries()
    await caller.ending.walk(running)
    await caller.ending.walk(other)

    assert first == [ended]
    assert await caller.deliveries() == sorted([running, ended])
    assert [each.channel for each in await store.gateway_leases.all()] == [ALIVE]


async def test_another_pass_tells_nobody_again(
    store: Store, caller: Caller, duty: DeadGateways
) -> None:
    ended = await caller.wait()
    await caller.ending.walk(ended)
    for _ in range(2):
        await die(store)
        await run(duty)

    assert await caller.deliveries() == [ended]


async def test_ends_from_before_the_last_renewal_were_answered(
    store: Store, caller: Caller, duty: DeadGateways
) -> None:
    await caller.ending.walk(await caller.wait())
    now = await store.leases.now()
    await store.client.send("HSET", "hr:gateways", DEAD, f"{now + 1_500}:{now + 1_501}")
    duty._clock.redis_ms = now + 2_000

    await run(duty)

    assert await caller.deliveries() == []


async def test_a_gateway_whose_lease_lasts_is_left_alone(
    store: Store, caller: Caller, duty: DeadGateways
) -> None:
    await caller.wait()
    await store.gateway_leases.renew(DEAD, 15_000)

    assert await run(duty) == 1
    assert len(await store.gateway_leases.all()) == 1


async def test_silent_gateways_are_spared_as_workers_are(
    store: Store, caller: Caller, duty: DeadGateways, clock: RecoveryClock
) -> None:
    await die(store)
    clock.spare_workers()

    assert await run(duty) == 1
    clock.spared_until = time.monotonic()
    assert await run(duty) > 1


async def test_each_gateway_has_its_own_time(
    store: Store, caller: Caller, duty: DeadGateways
) -> None:
    old, recent = await caller.wait("hr:notifier:old"), await caller.wait()
    for each in (old, recent):
        await caller.ending.walk(each)
    now = await store.leases.now()
    leases = (
        "hr:notifier:old",
        f"{now - 60_000}:{now - 45_000}",
        DEAD,
        f"{now + 1_500}:{now + 1_501}",
    )
    await store.client.send("HSET", "hr:gateways", *leases)
    await store.client.send(
        "HSET", keyspace.execution(*keyspace.parse_reference(old)), "created", 1
    )
    duty._clock.redis_ms = now + 2_000

    await run(duty)

    assert await caller.deliveries() == [old]
    assert await store.gateway_leases.all() == []


async def test_a_store_that_0_1_0_may_use_has_leases_removed_alone(
    store: Store, caller: Caller, duty: DeadGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    await caller.ending.walk(await caller.wait())
    await die(store)
    monkeypatch.setattr(store.guard, "schema", 1)

    assert await run(duty) == 1
    monkeypatch.undo()
    await run(duty)

    assert await store.gateway_leases.all() == []
    assert await caller.deliveries() == []


async def test_a_gateway_that_lives_again_keeps_its_lease_and_its_later_waits(
    store: Store, caller: Caller, duty: DeadGateways
) -> None:
    await die(store)
    assert await duty.run()
    await store.gateway_leases.renew(DEAD, 15_000)
    await caller.wait()

    await run(duty)

    assert [each.channel for each in await store.gateway_leases.all()] == [DEAD]
    assert await caller.deliveries() == []


async def test_large_accounts_take_turns_with_small_ones(
    store: Store, caller: Caller, duty: DeadGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_gateways, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(dead_gateways, "PAGE", 10)
    bob = await store.accounts.create(email="bob@example.com", tier=Tier.PRO)
    small = await Caller.of(store, bob, "Other")
    many = [await caller.wait() for _ in range(600)]
    one = await small.wait()
    await die(store)
    key = keyspace.execution(*keyspace.parse_reference(one))
    parts = 0

    while not await store.client.send("HGET", key, "armed"):
        assert await duty.run()
        parts += 1
    armed_of_many = [
        await store.client.send(
            "HGET", keyspace.execution(*keyspace.parse_reference(each)), "armed"
        )
        for each in many
    ]
    rest = await run(duty)

    assert parts < 6
    assert sum(each is not None for each in armed_of_many) < 100
    assert rest > 10
    for each in many:
        execution = keyspace.execution(*keyspace.parse_reference(each))
        assert await store.client.send("HGET", execution, "armed")


async def test_the_sweeper_has_the_duty(
    store: Store, caller: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DeadGateways, "interval_seconds", 0.0)
    running = await caller.wait()
    await die(store)
    sweeper = make_sweeper(store, settings)
    key = keyspace.execution(*keyspace.parse_reference(running))

    for _ in range(400):
        await sweeper.tick()
        sweeper.clock.spared_until = time.monotonic()
        if await store.client.send("HGET", key, "armed"):
            break

    assert await store.client.send("HGET", key, "armed")
