"""Authorizations of calls for tests of the store."""

from engine.store import Account, SpeculativeAuthorization, Store


async def outdated_authorization(store: Store, account: Account) -> SpeculativeAuthorization:
    """Return the speculative authorization of a key that has just been deleted."""
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.api_keys.authorize(secret)
    await store.api_keys.revoke(key.id)
    authorization = store.api_keys.authorize_speculatively(secret, "workflows/run")
    assert authorization is not None
    return authorization
