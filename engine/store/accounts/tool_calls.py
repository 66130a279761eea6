"""Calls of tools whose clients may cancel them by a notification, for as long as they wait."""

import hashlib
from dataclasses import dataclass

from engine.store.redis.client import Client
from engine.store.redis.keyspace import account_tag


def tool_call(account_id: str, digest: str) -> str:
    """String: execution of a call of a tool by its client, with an expiry."""
    return f"{account_tag(account_id)}:account:{account_id}:tool_call:{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallName:
    """Name of a call as its client knows it."""

    account_id: str
    key_id: str
    session: str
    request_id: str
    """Id of the request in JSON, since 1 and "1" are two."""

    @property
    def redis_key(self) -> str:
        """Key of the call in Redis."""
        text = "\n".join((self.key_id, self.session, self.request_id))
        return tool_call(self.account_id, hashlib.sha256(text.encode()).hexdigest())


class ToolCalls:
    """Executions of calls, by the names of the calls."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def note(self, name: ToolCallName, execution_id: str, seconds: float) -> None:
        """Note the execution of a call for a time. Raises Unavailable."""
        milliseconds = max(1, int(seconds * 1000))
        await self._client.send("SET", name.redis_key, execution_id, "PX", milliseconds)

    async def find(self, name: ToolCallName) -> str | None:
        """Return the execution of a call, None for an unknown or forgotten one."""
        found = await self._client.send("GET", name.redis_key)
        return None if found is None else found.decode()

    async def forget(self, name: ToolCallName) -> None:
        """Forget a call that has been answered."""
        await self._client.send("DEL", name.redis_key)
