"""Secrets of accounts for the nodes that use them."""

from collections.abc import Collection

from engine.access.opened_secrets import OpenedSecrets
from engine.errors import EngineError
from engine.errors.nodes import STORAGE, NodeFailed
from engine.store import AccountSecrets

MISSING = "secret_missing"


class StoredSecrets:
    """Opens secrets of the store; keeps none."""

    def __init__(self, secrets: AccountSecrets) -> None:
        self._secrets = secrets

    async def open(self, account_id: str, names: Collection[str]) -> OpenedSecrets:
        """Open the secrets with one read. Raises NodeFailed."""
        try:
            secrets = await self._secrets.open(account_id, names)
        except EngineError as error:
            raise NodeFailed(STORAGE, error.message, retryable=True) from None
        for name in sorted(names):
            if name not in secrets:
                raise NodeFailed(MISSING, f"There is no secret '{name}' any more")
        values = {name: each.value for name, each in secrets.items() if each.value is not None}
        for name in sorted(set(names) - values.keys()):
            message = f"The secret '{name}' cannot be opened with this installation's key: set it "
            raise NodeFailed(MISSING, message + "again")
        return OpenedSecrets(values, {name: each.hosts for name, each in secrets.items()})
