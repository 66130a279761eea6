import asyncio

import pytest

from engine.access.capabilities import Tier
from engine.errors import AccountNotFound, StoreFull, Unauthorized
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.sessions import (
    LOGIN_MS,
    LOGIN_PREFIX,
    RENEWED_BELOW_MS,
    SESSION_MS,
    SESSION_PREFIX,
)
from engine.store.redis import keyspace
from tests.support.redis.proxy import running_proxy
from tests.support.store.redis_contents import contents


async def sign_in(store: Store, account: Account) -> str:
    return await store.sessions.redeem(await store.sessions.create_login(account.id))


def key_of(token: str) -> str:
    digest = tokens.digest(token)
    return keyspace.session(tokens.partition_of(digest), digest)


async def test_a_login_signs_in_to_its_account(store: Store, account: Account) -> None:
    principal = await store.sessions.authorize(await sign_in(store, account))

    assert principal.account == account
    assert principal.key is None
    assert principal.key_id == ""
    assert principal.session is not None
    assert not principal.session.is_renewed


async def test_a_login_is_for_one_browser(store: Store, account: Account) -> None:
    login = await store.sessions.create_login(account.id)

    outcomes = await asyncio.gather(
        *(store.sessions.redeem(login) for _ in range(20)), return_exceptions=True
    )

    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert all(isinstance(outcome, str | Unauthorized) for outcome in outcomes)


async def test_looking_at_a_login_does_not_use_it_up(store: Store, account: Account) -> None:
    login = await store.sessions.create_login(account.id)

    assert await store.sessions.has_login(login)
    assert await store.sessions.has_login(login)
    await store.sessions.redeem(login)

    assert not await store.sessions.has_login(login)


async def test_logins_and_sessions_end_by_themselves(store: Store, account: Account) -> None:
    login = await store.sessions.create_login(account.id)
    digest = tokens.digest(login)
    link = keyspace.login(partition_of(account.id), digest)

    login_left = await store.client.send("PTTL", link)
    token = await store.sessions.redeem(login)
    session_left = await store.client.send("PTTL", key_of(token))

    assert LOGIN_MS - 10_000 < login_left <= LOGIN_MS
    assert SESSION_MS - 10_000 < session_left <= SESSION_MS


async def test_a_session_in_use_is_renewed_once_a_day(store: Store, account: Account) -> None:
    token = await sign_in(store, account)
    await store.client.send("PEXPIRE", key_of(token), RENEWED_BELOW_MS - 1)

    first = await store.sessions.authorize(token)
    second = await store.sessions.authorize(token)

    assert first.session is not None
    assert second.session is not None
    assert (first.session.is_renewed, second.session.is_renewed) == (True, False)
    assert await store.client.send("PTTL", key_of(token)) > RENEWED_BELOW_MS


async def test_a_session_is_remembered_until_it_is_found_to_have_ended(
    store: Store, account: Account
) -> None:
    token = await sign_in(store, account)
    principal = await store.sessions.authorize(token)
    was_known = store.sessions.remembers(token)

    assert principal.session is not None
    await store.sessions.end(principal.session)
    with pytest.raises(Unauthorized):
        await store.sessions.authorize(token)

    assert (was_known, store.sessions.remembers(token)) == (True, False)


async def test_a_session_is_checked_with_one_round_trip(
    store: Store, settings: Settings, account: Account
) -> None:
    token = await sign_in(store, account)
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))
        await far.sessions.authorize(token)
        await far.ping()  # after the record of the session's first use
        proxy.requests.clear()

        await asyncio.gather(*(far.sessions.authorize(token) for _ in range(10)))

        assert len(proxy.requests) == 1
        await far.close()


async def test_a_malformed_token_costs_no_command(settings: Settings) -> None:
    login, session = (tokens.make_token(prefix, 1) for prefix in (LOGIN_PREFIX, SESSION_PREFIX))
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))

        for text in ("", "x", login, session[:-1] + "!", session + "\n", session.upper()):
            with pytest.raises(Unauthorized):
                await far.sessions.authorize(text)
        for text in ("", "x", session, login[:-1] + "!"):
            assert not await far.sessions.has_login(text)
            with pytest.raises(Unauthorized):
                await far.sessions.redeem(text)

        assert proxy.connections == 0
        await far.close()


async def test_a_session_ends_on_every_gateway_at_once(
    store: Store, settings: Settings, account: Account
) -> None:
    token, other_token = await sign_in(store, account), await sign_in(store, account)
    far = Store.open(settings)
    session = (await far.sessions.authorize(token)).session
    assert session is not None

    await store.sessions.end(session)

    for each in (store, far):
        with pytest.raises(Unauthorized):
            await each.sessions.authorize(token)
    assert await far.sessions.authorize(other_token)
    await far.close()


async def test_sessions_and_logins_die_with_their_account(store: Store, account: Account) -> None:
    token, login = await sign_in(store, account), await store.sessions.create_login(account.id)
    accounts = keyspace.accounts(partition_of(account.id))

    await store.client.send("HDEL", accounts, account.id)

    with pytest.raises(Unauthorized):
        await store.sessions.authorize(token)
    with pytest.raises(Unauthorized):
        await store.sessions.redeem(login)


async def test_nobody_signs_in_to_an_account_that_is_not_there(store: Store) -> None:
    with pytest.raises(AccountNotFound):
        await store.sessions.create_login("acc_nobody")


async def test_a_full_redis_takes_no_new_sessions_and_keeps_the_old(
    store: Store, account: Account
) -> None:
    token, login = await sign_in(store, account), await store.sessions.create_login(account.id)
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    principal = await store.sessions.authorize(token)
    with pytest.raises(StoreFull):
        await store.sessions.redeem(login)

    assert principal.session is not None
    await store.sessions.end(principal.session)
    await store.client.send("CONFIG", "SET", "maxmemory", 0)
    assert await store.sessions.redeem(login)


async def test_tokens_are_not_at_rest(store: Store) -> None:
    account = await store.accounts.create(email="free@example.com", tier=Tier.FREE)
    login = await store.sessions.create_login(account.id)
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))

    everything = repr(await contents(store.client))

    for secret in (login, token):
        random_part = secret.rpartition("_")[0][-43:]
        assert random_part[:8] not in everything
        assert tokens.digest(secret) in everything
