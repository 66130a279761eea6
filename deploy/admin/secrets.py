"""Secrets of an account, from the command line by the rules of the API."""

from collections.abc import Sequence

from engine.access.account_secrets import check_name, check_value
from engine.access.secret_hosts import read_hosts
from engine.services.secrets import list_secrets
from engine.store import Secret, Store
from engine.store.audit import COMMAND


async def save_secret(
    store: Store, account_id: str, name: str, value: str, hosts: Sequence[str] | None = None
) -> Secret:
    """Save a secret; hosts as in `AccountSecrets.save`.

    Raises AccountNotFound, InvalidSecret or QuotaExceeded.
    """
    name, value = check_name(name), check_value(value)
    checked = read_hosts([*hosts]) if hosts else hosts
    account = await store.accounts.get(account_id)
    return await store.secrets.save(account.id, name, value, hosts=checked, by=COMMAND)


async def find_secrets(store: Store, account_id: str) -> list[tuple[Secret, list[str]]]:
    """Return the secrets and the slugs of the workflows that use each. Raises AccountNotFound."""
    account = await store.accounts.get(account_id)
    return await list_secrets(store, account.id)


async def delete_secret(store: Store, account_id: str, name: str) -> None:
    """Delete a secret. Raises AccountNotFound or NotFound."""
    account = await store.accounts.get(account_id)
    await store.secrets.delete(account.id, name, by=COMMAND)
