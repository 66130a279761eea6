import asyncio

import pytest

from engine.access.capabilities import Tier
from engine.errors import NotFound, Unauthorized
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.accounts.sessions import RENEWED_BELOW_MS, SESSION_MS, session_key
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.store.redis_contents import contents


async def sign_in(store: Store, account: Account, **browser: str) -> str:
    return await store.sessions.redeem(await store.sessions.create_login(account.id), **browser)


async def test_a_session_is_listed_with_the_browser_that_signed_in(
    store: Store, account: Account
) -> None:
    token = await sign_in(store, account, user_agent="Firefox", address="192.0.2.7")

    [row], cursor = await store.session_list.page(account.id, limit=10)
    found = await store.session_list.find(row.id)

    session = (await store.sessions.authorize(token)).session
    assert session is not None
    assert (row.id, row.account_id, row.digest) == (session.id, account.id, tokens.digest(token))
    assert (row.user_agent, row.address) == ("Firefox", "192.0.2.7")
    assert row.created_at == row.last_used_at
    assert cursor is None
    assert found == row


async def test_an_id_is_neither_the_token_nor_its_digest(store: Store, account: Account) -> None:
    token = await sign_in(store, account)

    [row], _ = await store.session_list.page(account.id, limit=10)

    assert row.id.removeprefix("ses_") not in tokens.digest(token)
    with pytest.raises(Unauthorized):
        await store.sessions.authorize(row.id)


async def test_a_use_is_recorded_once_a_minute(store: Store, account: Account) -> None:
    token = await sign_in(store, account)
    [row], _ = await store.session_list.page(account.id, limit=10)
    key = keyspace.session_record(partition_of(account.id), row.id)
    await store.client.send("HSET", key, "used", 1)

    await store.sessions.authorize(token)
    [first], _ = await store.session_list.page(account.id, limit=10)
    await store.client.send("HSET", key, "used", 1)
    await store.sessions.authorize(token)
    [second], _ = await store.session_list.page(account.id, limit=10)

    assert first.last_used_at >= row.last_used_at
    assert second.last_used_at == 1


async def test_a_session_of_before_sessions_had_records_is_listed_once_used(
    store: Store, account: Account
) -> None:
    token = await sign_in(store, account)
    [row], _ = await store.session_list.page(account.id, limit=10)
    await store.client.send("DEL", keyspace.session_record(partition_of(account.id), row.id))
    await store.client.send("DEL", keyspace.account_sessions(account.id))

    await store.sessions.authorize(token)

    [found], _ = await store.session_list.page(account.id, limit=10)
    assert (found.id, found.digest) == (row.id, row.digest)
    assert (found.user_agent, found.address) == (None, None)


async def test_a_record_lives_as_long_as_its_session(store: Store, account: Account) -> None:
    token = await sign_in(store, account)
    [row], _ = await store.session_list.page(account.id, limit=10)
    record = keyspace.session_record(partition_of(account.id), row.id)
    await store.client.send("PEXPIRE", session_key(row.digest), RENEWED_BELOW_MS - 1)
    await store.client.send("PEXPIRE", record, RENEWED_BELOW_MS - 1)

    await store.sessions.authorize(token)

    for key in (session_key(row.digest), record, keyspace.account_sessions(account.id)):
        assert SESSION_MS - 10_000 < await store.client.send("PTTL", key) <= SESSION_MS


async def test_nothing_of_a_session_is_left_when_it_has_ended(
    store: Store, account: Account
) -> None:
    await store.sessions.create_login(account.id)
    before = await contents(store.client)
    token = await sign_in(store, account)
    session = (await store.sessions.authorize(token)).session
    assert session is not None
    ended = await sign_in(store, account)

    await store.sessions.end(session)
    [row], _ = await store.session_list.page(account.id, limit=10)
    await store.session_list.end(row.id, account.id)

    for each in (token, ended):
        with pytest.raises(Unauthorized):
            await store.sessions.authorize(each)
    after = await contents(store.client)
    log = keyspace.audit(partition_of(account.id)).encode()
    assert {name: after[name] for name in after if name != log} == {
        name: before[name] for name in before if name != log
    }


async def test_a_late_use_brings_no_ended_session_back(store: Store, account: Account) -> None:
    token = await sign_in(store, account)
    [row], _ = await store.session_list.page(account.id, limit=10)

    authorized = asyncio.create_task(store.sessions.authorize(token))
    await asyncio.sleep(0)
    await asyncio.gather(authorized, store.session_list.end(row.id, account.id))
    await store.ping()

    async def rows() -> list[object]:
        return list((await store.session_list.page(account.id, limit=10))[0])

    assert await eventually(rows, lambda found: not found) == []


async def test_only_its_own_account_ends_a_session(store: Store, account: Account) -> None:
    other = await store.accounts.create(email="b@example.com", tier=Tier.PRO)
    token = await sign_in(store, account)
    [row], _ = await store.session_list.page(account.id, limit=10)

    with pytest.raises(NotFound):
        await store.session_list.end(row.id, other.id)
    with pytest.raises(NotFound):
        await store.session_list.end("ses_0", account.id)
    with pytest.raises(NotFound):
        await store.session_list.find("ses_0")

    assert await store.sessions.authorize(token)


async def test_sessions_that_have_ended_by_themselves_are_not_listed(
    store: Store, account: Account
) -> None:
    await sign_in(store, account)
    [row], _ = await store.session_list.page(account.id, limit=10)
    await store.client.send("DEL", keyspace.session_record(partition_of(account.id), row.id))
    key = keyspace.account_sessions(account.id)
    await store.client.send("ZADD", key, 1, row.id)

    assert await store.session_list.page(account.id, limit=10) == ([], None)
    await sign_in(store, account)
    assert await store.client.send("ZCARD", key) == 1
