"""Windows of calls: exact, by Redis's clock, and not extended by refused calls."""

import asyncio
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.errors import Unauthorized
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.rate_limits import WINDOW_MS, parse_window
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.redis.proxy import running_proxy
from tests.support.store.redis_contents import contents

NOON = 43_200_000
BUCKET = "workflows/run"


async def count(store: Store, now: int, *, limit: int = 3, who: str = "acc") -> Any:
    await store.client.send("HSET", "keys", who, f"{who}|record")
    await store.client.send("HSET", "accounts", who, "pro|record")
    reply = await store.client.call(
        SCRIPTS["count_key_call"],
        api_keys="keys",
        accounts="accounts",
        windows="windows",
        now=now,
        digest=who,
        bucket=BUCKET,
        window_ms=WINDOW_MS,
        cost=1,
        limits=("pro", limit),
    )
    return parse_window(reply[2:])


async def test_calls_are_counted_up_to_the_limit(store: Store) -> None:
    windows = [await count(store, NOON + second * 1000) for second in range(5)]

    assert [window.calls for window in windows] == [1, 2, 3, 4, 4]
    assert [window.remaining for window in windows] == [2, 1, 0, 0, 0]
    assert [window.is_refused for window in windows] == [False, False, False, True, True]
    assert {window.ends_at for window in windows} == {NOON // 1000 + 60}
    assert [window.seconds_left for window in windows] == [60, 59, 58, 57, 56]


async def test_a_refused_call_changes_nothing(store: Store) -> None:
    for _ in range(3):
        await count(store, NOON)
    before = await contents(store.client)

    assert (await count(store, NOON + 59_999)).is_refused
    assert await contents(store.client) == before


async def test_the_reported_wait_leads_into_a_fresh_window(store: Store) -> None:
    for _ in range(4):
        refused = await count(store, NOON + 30_001)

    fresh = await count(store, NOON + 30_001 + refused.seconds_left * 1000)

    assert refused.seconds_left == 30
    assert (fresh.calls, fresh.ends_at) == (1, NOON // 1000 + 120)


async def test_the_last_millisecond_still_belongs_to_the_window(store: Store) -> None:
    first = await count(store, NOON + 59_999)
    second = await count(store, NOON + 60_000)

    assert (first.calls, first.seconds_left, first.ends_at) == (1, 1, NOON // 1000 + 60)
    assert (second.calls, second.seconds_left, second.ends_at) == (1, 60, NOON // 1000 + 120)


@pytest.mark.A81
async def test_accounts_and_buckets_are_counted_apart(
    store: Store, account: Account, api_key: str
) -> None:
    other = await store.accounts.create(email="b@example.com", tier=Tier.PRO)
    _, others_key = await store.api_keys.create(other, name="k", capabilities=["workflow:run"])

    calls = [
        await store.api_keys.authorize_call(api_key, "models/run"),
        await store.api_keys.authorize_call(api_key, BUCKET),
        await store.api_keys.authorize_call(others_key, BUCKET),
    ]

    assert [window and window.calls for _, window in calls] == [1, 1, 1]


async def test_windows_do_not_stay_for_ever(store: Store, account: Account, api_key: str) -> None:
    await store.api_keys.authorize_call(api_key, BUCKET)

    key = keyspace.windows(partition_of(account.id))
    assert 0 < await store.client.send("PTTL", key) <= 2 * WINDOW_MS


async def test_a_count_outlives_its_window_by_another_one(
    store: Store, account: Account, api_key: str
) -> None:
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))
    key = keyspace.windows(partition_of(account.id))

    for authorize_call, secret in (
        (store.api_keys.authorize_call, api_key),
        (store.sessions.authorize_call, token),
    ):
        await store.client.send("DEL", key)
        _, window = await authorize_call(secret, BUCKET)
        gone_at = await store.client.send("PEXPIRETIME", key)

        assert window is not None
        assert gone_at >= window.ends_at * 1000 + WINDOW_MS


@pytest.mark.A81
async def test_all_keys_of_an_account_share_its_window(
    store: Store, account: Account, api_key: str
) -> None:
    _, other = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])

    _, first = await store.api_keys.authorize_call(api_key, BUCKET)
    _, second = await store.api_keys.authorize_call(other, BUCKET)

    assert first is not None and second is not None
    assert second.calls == first.calls + 1 or second.ends_at > first.ends_at
    assert first.limit == 100


@pytest.mark.A81
async def test_a_browser_shares_the_window_of_its_account(
    store: Store, account: Account, api_key: str
) -> None:
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))

    _, first = await store.api_keys.authorize_call(api_key, BUCKET)
    principal, second = await store.sessions.authorize_call(token, BUCKET)

    assert first is not None and second is not None
    assert second.calls == first.calls + 1 or second.ends_at > first.ends_at
    assert second.limit == 100
    assert principal == await store.sessions.authorize(token)


async def test_a_browser_of_an_account_without_a_limit_has_no_window(store: Store) -> None:
    admin = await store.accounts.create(email="a@example.com", tier=Tier.FREE, role=Role.ADMIN)
    token = await store.sessions.redeem(await store.sessions.create_login(admin.id))

    _, window = await store.sessions.authorize_call(token, BUCKET)

    assert window is None


async def test_an_invalid_session_counts_nothing(store: Store, account: Account) -> None:
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))
    session = (await store.sessions.authorize(token)).session
    assert session is not None
    await store.sessions.end(session)
    before = await contents(store.client)

    for each in (token, token[:-1], ""):
        with pytest.raises(Unauthorized):
            await store.sessions.authorize_call(each, BUCKET)
    assert await contents(store.client) == before


async def test_a_call_is_counted_in_the_round_trip_that_authorizes(
    settings: Settings, account: Account, api_key: str
) -> None:
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))
        token = await far.sessions.redeem(await far.sessions.create_login(account.id))
        await far.api_keys.authorize(api_key)
        await far.ping()  # after the record of the key's first use
        proxy.requests.clear()

        answers = await asyncio.gather(
            *(far.api_keys.authorize_call(api_key, BUCKET) for _ in range(10)),
            *(far.sessions.authorize_call(token, BUCKET) for _ in range(10)),
        )

        assert len(proxy.requests) == 1
        assert all(window is not None for _, window in answers)
        await far.close()


@pytest.mark.A81
@pytest.mark.parametrize(("tier", "role"), [(Tier.ENTERPRISE, Role.USER), (Tier.FREE, Role.ADMIN)])
async def test_an_unlimited_account_has_no_window(store: Store, tier: Tier, role: Role) -> None:
    account = await store.accounts.create(email="a@example.com", tier=tier, role=role)
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])

    principal, window = await store.api_keys.authorize_call(secret, BUCKET)

    assert principal.account == account
    assert window is None
    assert not await store.client.send("EXISTS", keyspace.windows(partition_of(account.id)))


async def test_another_tier_holds_from_the_next_call_on(
    store: Store, account: Account, api_key: str
) -> None:
    async def limit() -> int | None:
        _, window = await store.api_keys.authorize_call(api_key, BUCKET)
        return window and window.limit

    assert await limit() == 100
    for tier, expected in ((Tier.BUSINESS, 1_000), (Tier.ENTERPRISE, None), (Tier.PRO, 100)):
        await store.accounts.set_tier(account.id, tier)
        assert await limit() == expected


async def test_an_unknown_or_malformed_key_is_unauthorized_and_counts_nothing(
    store: Store, account: Account, api_key: str
) -> None:
    key = (await store.api_keys.list(account.id))[0]
    await store.api_keys.revoke(key.id)
    before = await contents(store.client)

    for secret in (api_key, api_key[:-1], ""):
        with pytest.raises(Unauthorized):
            await store.api_keys.authorize_call(secret, BUCKET)
    assert await contents(store.client) == before


async def test_a_key_without_an_account_counts_nothing(
    store: Store, account: Account, api_key: str
) -> None:
    key = keyspace.accounts(partition_of(account.id))
    await store.client.send("HDEL", key, account.id)

    with pytest.raises(Unauthorized):
        await store.api_keys.authorize_call(api_key, BUCKET)


async def test_a_window_is_read_without_counting_a_call(
    store: Store, account: Account, api_key: str
) -> None:
    assert (await store.rate_windows.current(account.id, BUCKET, 100)).remaining == 100

    while True:  # all in one window
        _, counted = await store.api_keys.authorize_call(api_key, BUCKET)
        assert counted is not None
        first, second = [
            await store.rate_windows.current(account.id, BUCKET, 100) for _ in range(2)
        ]
        if counted.ends_at == second.ends_at:
            break

    assert (first.calls, first.remaining) == (counted.calls, counted.remaining)
    assert (second.calls, second.limit) == (first.calls, 100)
    assert 0 < second.seconds_left <= 60


async def test_calls_of_former_windows_do_not_count(store: Store, account: Account) -> None:
    windows = keyspace.windows(partition_of(account.id))
    await store.client.send("HSET", windows, f"{account.id}|{BUCKET}", f"{NOON}:99")

    assert (await store.rate_windows.current(account.id, BUCKET, 100)).remaining == 100
