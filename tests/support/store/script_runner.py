"""Scripts for tests without an event loop of their own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, settings

from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS, Script
from tests.support.process.event_loops import Loop
from tests.support.redis.rewind import Snapshot, rewind, take_snapshot
from tests.support.store.redis_contents import contents


def with_keys(script: Script, names: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the names of a call with each key that they lack under its name in the header."""
    keys = [each for each in script.names.keys if each.size == 1 and not each.is_optional]
    return {**{each.name: each.name for each in keys}, **names}


class Scripts:
    """Calls the real scripts and reads their effects."""

    def __init__(self, url: str) -> None:
        self._loop = Loop()
        self._client = Client(RedisAddress.parse(url))

    def close(self) -> None:
        """Close the connection and the loop."""
        self._loop.run_until_complete(self._client.close())
        self._loop.close()

    def send(self, *command: str | int) -> Any:
        """Return the reply to one command."""

        async def ask() -> Any:
            return await self._client.send(*command)

        return self._loop.run_until_complete(ask())

    def send_all(self, *commands: Sequence[str | int]) -> list[Any]:
        """Return the replies to commands sent together."""

        async def ask() -> list[Any]:
            return await asyncio.gather(*(self._client.send(*each) for each in commands))

        return self._loop.run_until_complete(ask())

    def run(self, name: str, /, **names: Any) -> Any:
        """Return the reply to one script; keys by `with_keys`."""

        async def ask() -> Any:
            return await self._client.call(SCRIPTS[name], **with_keys(SCRIPTS[name], names))

        return self._loop.run_until_complete(ask())

    def take_snapshot(self) -> Snapshot:
        """Return a snapshot of all keys."""
        return self._loop.run_until_complete(take_snapshot(self._client))

    def rewind(self, snapshot: Snapshot) -> None:
        """Lose the writes since the snapshot."""
        self._loop.run_until_complete(rewind(self._client, snapshot))

    def contents(self) -> dict[bytes, Any]:
        """Return the content of all keys."""
        return self._loop.run_until_complete(contents(self._client))


def profile(examples: int, steps: int, *, is_random: bool) -> settings:
    """Return settings of a stateful test: examples, steps, and whether they are repeatable."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=not is_random,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
