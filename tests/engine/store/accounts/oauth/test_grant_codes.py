import asyncio
from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.errors import AccountNotFound, ApiKeyAccessDenied, NotFound
from engine.ids import tokens
from engine.store import Account, ApiKey, Store
from engine.store.accounts.oauth.grant_codes import CODE_MS, CodeRefused, _key
from engine.store.accounts.principals import KeyClient
from engine.store.redis import keyspace
from tests.support.oauth.grants import GRANT


async def test_a_code_becomes_an_api_key_of_the_client(store: Store, account: Account) -> None:
    grant = replace(GRANT, account_id=account.id)
    code = await store.grant_codes.issue(grant)

    found = await store.grant_codes.find(code)
    key, secret = await store.grant_codes.redeem(code, grant)
    principal = await store.api_keys.authorize(secret)

    assert found == grant
    assert principal.key == key
    assert (key.name, key.capabilities) == ("Notes", ("workflow:greeting:run",))
    assert key.client == KeyClient(id="client-1", name="Notes")
    assert await store.api_keys.list(account.id) == [key]
    assert await store.api_keys.get(key.id) == key


async def test_a_code_is_at_rest_as_a_digest(store: Store, account: Account) -> None:
    code = await store.grant_codes.issue(replace(GRANT, account_id=account.id))

    names = await store.client.send("KEYS", "*oauth_code*")

    assert code.encode() not in b"".join(names)
    assert tokens.digest(code).encode() in b"".join(names)


@pytest.mark.parametrize("code", ["", "hr_code_", "hr_code_" + "A" * 43 + "_" + "A" * 6])
async def test_an_unknown_code_has_no_grant(store: Store, code: str) -> None:
    assert await store.grant_codes.find(code) is None


async def test_the_second_use_of_a_code_deletes_the_key(store: Store, account: Account) -> None:
    grant = replace(GRANT, account_id=account.id)
    code = await store.grant_codes.issue(grant)
    key, _ = await store.grant_codes.redeem(code, grant)

    with pytest.raises(CodeRefused):
        await store.grant_codes.redeem(code, grant)
    with pytest.raises(CodeRefused):
        await store.grant_codes.redeem(code, grant)

    assert await store.api_keys.list(account.id) == []
    with pytest.raises(NotFound):
        await store.api_keys.get(key.id)
    assert await store.client.send("HLEN", keyspace.api_key_ids()) == 0


async def test_of_twenty_uses_at_once_none_leaves_a_key(store: Store, account: Account) -> None:
    grant = replace(GRANT, account_id=account.id)
    code = await store.grant_codes.issue(grant)

    calls = [store.grant_codes.redeem(code, grant) for _ in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    made = [each for each in answers if not isinstance(each, BaseException)]
    assert len(made) == 1
    assert all(isinstance(each, CodeRefused) for each in answers if each not in made)
    assert await store.api_keys.list(account.id) == []


async def test_a_code_is_worth_nothing_after_a_minute(store: Store, account: Account) -> None:
    grant = replace(GRANT, account_id=account.id)
    code = await store.grant_codes.issue(grant)
    record = await store.client.send("GET", _key(code))
    ends, _, rest = record.partition(b"|")
    past = str(int(ends) - CODE_MS - 1).encode()
    await store.client.send("SET", _key(code), past + b"|" + rest)

    with pytest.raises(CodeRefused):
        await store.grant_codes.redeem(code, grant)

    assert await store.api_keys.list(account.id) == []


async def test_a_code_of_an_account_that_is_gone_is_refused(store: Store) -> None:
    code = await store.grant_codes.issue(GRANT)

    with pytest.raises(AccountNotFound):
        await store.grant_codes.redeem(code, GRANT)


async def test_a_code_of_an_account_that_lost_its_keys_is_refused(
    store: Store, account: Account
) -> None:
    grant = replace(GRANT, account_id=account.id)
    code = await store.grant_codes.issue(grant)
    await store.accounts.set_tier(account.id, Tier.FREE)

    with pytest.raises(ApiKeyAccessDenied):
        await store.grant_codes.redeem(code, grant)


async def test_a_granted_key_is_renamed_and_keeps_its_client(
    store: Store, account: Account
) -> None:
    grant = replace(GRANT, account_id=account.id)
    key, _ = await store.grant_codes.redeem(await store.grant_codes.issue(grant), grant)

    changed: ApiKey = await store.api_keys.change(key.id, owner=account.id, name="Laptop")

    assert (changed.name, changed.client) == ("Laptop", key.client)
