"""Secrets of an account, from the command line by the rules of the API."""

from engine.access.account_secrets import check_name, check_value
from engine.services.secrets import list_secrets
from engine.store import Secret, Store
from engine.store.audit import COMMAND


async def save_secret(store: Store, account_id: str, name: str, value: str) -> Secret:
    """Save a secret. Raises AccountNotFound, InvalidSecret or QuotaExceeded."""
    name, value = check_name(name), check_value(value)
    account = await store.accounts.get(account_id)
    return await store.secrets.save(account.id, name, value, by=COMMAND)


async def find_secrets(store: Store, account_id: str) -> list[tuple[Secret, list[str]]]:
    """Return the secrets and the slugs of the workflows that use each. Raises AccountNotFound."""
    account = await store.accounts.get(account_id)
    return await list_secrets(store, account.id)


async def delete_secret(store: Store, account_id: str, name: str) -> None:
    """Delete a secret. Raises AccountNotFound or NotFound."""
    account = await store.accounts.get(account_id)
    await store.secrets.delete(account.id, name, by=COMMAND)
