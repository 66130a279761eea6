"""Hints: disposable notes that something can be worked on. They carry ids, never truth."""

import asyncio
from collections.abc import Iterable
from typing import Any

from engine import keyspace
from engine.store.client import Client

WALK_QUEUE = "walk"
WALK_ACTOR = "walk"


def make_hint(actor: str, argument: str) -> str:
    """A hint for an actor, by name: the sender knows nothing of workers."""
    return f"{actor}|{argument}"


def parse_hint(data: bytes) -> tuple[str, str]:
    """Actor and argument. Raises ValueError for what is not a hint."""
    actor, bar, argument = data.decode().partition("|")
    if not bar:
        raise ValueError("not a hint")
    return actor, argument


class HintSender:
    """Sends hints without blocking the event loop; a lost one is sent again by the sweeper."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send_soon(self, reference: str) -> None:
        """Send a walk hint with the commands of this loop tick; nobody waits for it."""
        future = self._push([reference])
        future.add_done_callback(_forget)

    async def send(self, references: Iterable[str]) -> None:
        """Send walk hints and wait until they are queued. Raises Unavailable or StoreFull."""
        listed = list(references)
        if listed:
            await self._push(listed)

    async def depth(self) -> int:
        """How many hints wait."""
        return int(await self._client.send("LLEN", keyspace.hints(WALK_QUEUE)))

    def _push(self, references: list[str]) -> "asyncio.Future[Any]":
        hints = [make_hint(WALK_ACTOR, reference) for reference in references]
        return self._client.send("RPUSH", keyspace.hints(WALK_QUEUE), *hints)


def _forget(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()
