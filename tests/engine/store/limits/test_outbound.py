"""Outbound calls of accounts per minute, counted in Redis."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS

NOW = 1_000_000
"""40 s into a window of a minute."""
LIMITS = ("pro", 50, 30, 1_000)

Lease = Callable[..., Awaitable[int]]


@pytest.fixture
def lease(store: Store, account: Account) -> Lease:
    """Return a function that leases calls by the limits above."""

    async def lease(host: str, calls: int, sent: int = 0, now: int = NOW) -> int:
        granted, milliseconds = await store.client.call(
            SCRIPTS["lease_outbound"],
            accounts=keyspace.accounts(partition_of(account.id)),
            outbound=keyspace.outbound(account.id),
            now=now,
            account=account.id,
            host=host,
            window_ms=60_000,
            calls=calls,
            bytes=sent,
            limits=LIMITS,
        )
        assert milliseconds == 60_000 - now % 60_000
        return int(granted)

    return lease


async def granted(lease: Lease, host: str, **options: int) -> int:
    """Return the calls granted one at a time."""
    total = 0
    while await lease(host, 1, **options):
        total += 1
    return total


@pytest.mark.A82
async def test_calls_end_with_the_limit_of_a_host_and_then_with_that_of_all(lease: Lease) -> None:
    assert [await granted(lease, host) for host in ("a", "b", "c")] == [30, 20, 0]


async def test_the_next_minute_begins_afresh(lease: Lease) -> None:
    await granted(lease, "a")

    assert await granted(lease, "a", now=NOW + 20_000) == 30


async def test_a_request_for_many_calls_gets_an_eighth_of_the_rest(lease: Lease) -> None:
    assert await lease("a", 100) == 3  # of 30
    assert await lease("b", 100) == 3
    assert await lease("a", 2) == 2


@pytest.mark.A82
async def test_many_leases_together_never_grant_more_than_the_limit(lease: Lease) -> None:
    total = 0
    while count := await lease("a", 7):
        total += count

    assert total == 30


@pytest.mark.A82
async def test_beyond_the_bytes_nothing_is_granted_in_this_minute(lease: Lease) -> None:
    assert await lease("a", 1, 999) == 1
    assert await lease("a", 1, 1) == 0
    assert await lease("b", 1) == 0
    assert await lease("b", 1, now=NOW + 60_000) == 1


async def test_counts_expire_after_two_windows(
    lease: Lease, store: Store, account: Account
) -> None:
    await lease("a", 1)

    assert 0 < await store.client.send("PTTL", keyspace.outbound(account.id)) <= 120_000


async def test_a_count_outlives_its_window_by_another_one(store: Store, account: Account) -> None:
    before = await store.leases.now()

    lease = await store.outbound.lease(account.id, "example.com", calls=1, sent=0)

    window_ends = before + int(lease.seconds * 1000)
    gone_at = await store.client.send("PEXPIRETIME", keyspace.outbound(account.id))
    assert gone_at >= window_ends + 60_000


@pytest.mark.parametrize(("tier", "role"), [(Tier.ENTERPRISE, Role.USER), (Tier.FREE, Role.ADMIN)])
async def test_enterprise_and_admins_are_not_counted(store: Store, tier: Tier, role: Role) -> None:
    account = await store.accounts.create(email="x@example.com", tier=tier, role=role)

    lease = await store.outbound.lease(account.id, "example.com", calls=1, sent=10**12)

    assert lease.calls is None
    assert await store.client.send("EXISTS", keyspace.outbound(account.id)) == 0


async def test_the_tiers_say_how_much(
    store: Store, account: Account, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text(
        '[pro]\noutbound_calls_per_minute = 3\noutbound_calls_per_host = "unlimited"\n'
        'outbound_bytes_per_minute = "unlimited"\n'
    )
    changed = Store.open(replace(settings, tiers_file=str(path)))

    leases = [
        await changed.outbound.lease(account.id, "example.com", calls=1, sent=10**12)
        for _ in range(4)
    ]
    await changed.close()

    assert [lease.calls for lease in leases] == [1, 1, 1, 0]
    assert 0 < leases[0].seconds <= 60


async def test_names_of_hosts_are_in_no_key_or_field(store: Store, account: Account) -> None:
    await store.outbound.lease(account.id, "evil{*}.example.com", calls=1, sent=0)

    record = await store.client.send("HGETALL", keyspace.outbound(account.id))
    assert b"evil" not in b"".join(record)
