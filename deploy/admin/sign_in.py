"""Sign-in links for browsers."""

from engine.store import Store


async def make_login_link(store: Store, account_id: str, base: str) -> str:
    """Return an address below `base` that signs one browser in, once, within ten minutes."""
    token = await store.sessions.create_login(account_id)
    return f"{base.rstrip('/')}/login?token={token}"
