"""Hints: disposable notes that something can be worked on. They are never truth.

A hint names its subject, and may carry on a second line what a worker needs to begin with it
before it has read the record; what is on record has the last word all the same.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.ids.slugs import SLUG
from engine.store.redis import keyspace
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS

WALK_QUEUE = "walk"
BULK_QUEUE = "bulk"
"""Hints of accounts that have much under way: taken few at a time, after what others want."""
WALK_ACTOR = "walk"
DELIVER_QUEUE = "deliver"
DELIVER_ACTOR = "deliver"
QUEUES = (WALK_QUEUE, BULK_QUEUE, DELIVER_QUEUE)
SENT_AT_ONCE = 1_000
MAX_CARRIED_BYTES = 4_096
"""Of inputs; what is larger is read from the record alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineRun:
    """What a hint carries of an execution; `inputs` are packed, as on record."""

    slug: str
    version: int
    inputs: bytes


def make_hint(actor: str, argument: str) -> str:
    """A hint for an actor, by name: the sender knows nothing of workers."""
    return f"{actor}|{argument}"


def parse_hint(data: bytes) -> tuple[str, str]:
    """Actor and argument. Raises ValueError for what is not a hint."""
    actor, bar, argument = data.partition(b"\n")[0].decode().partition("|")
    if not bar:
        raise ValueError("not a hint")
    return actor, argument


def add_inline_run(hint: str, inline_run: InlineRun) -> bytes:
    """The hint with what it carries."""
    return f"{hint}\n{inline_run.version}|{inline_run.slug}|".encode() + inline_run.inputs


def parse_inline_run(data: bytes) -> InlineRun | None:
    """What a hint carries, if anything. Raises ValueError for what is not well formed."""
    _, line, inline_run = data.partition(b"\n")
    if not line:
        return None
    version, slug, inputs = inline_run.split(b"|", 2)
    is_named = version.isdigit() and SLUG.fullmatch(slug.decode()) is not None
    if not is_named or len(inputs) > MAX_CARRIED_BYTES:
        raise ValueError("not what a hint carries")
    return InlineRun(slug=slug.decode(), version=int(version), inputs=inputs)


class HintSender:
    """Sends hints without blocking the event loop; a lost one is sent again by the sweeper."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def shares_pipeline(self, client: Client) -> bool:
        """Whether hints leave in one pipeline with this client's commands, in order."""
        return self._client is client

    def send_soon(
        self, reference: str, queue: str = WALK_QUEUE, inline_run: InlineRun | None = None
    ) -> None:
        """Send a walk hint with the commands of this loop tick; nobody waits for it.

        Refused when Redis is full, as the execution it is for may be.
        """
        hint = make_hint(WALK_ACTOR, reference)
        data = hint if inline_run is None else add_inline_run(hint, inline_run)
        forget(self._client.send("RPUSH", keyspace.hints(queue), data))

    async def send(self, references: Iterable[str], queue: str = WALK_QUEUE) -> None:
        """Send walk hints of executions on record, a full Redis or not. Raises Unavailable."""
        await self._send(queue, [make_hint(WALK_ACTOR, each) for each in references])

    def send_delivery_soon(self, reference: str) -> None:
        """Send a hint of a delivery on record, a full Redis or not; nobody waits for it."""
        hints = [make_hint(DELIVER_ACTOR, reference)]
        forget(self._client.call(SCRIPTS["send_hints"], [keyspace.hints(DELIVER_QUEUE)], hints))

    async def send_deliveries(self, references: Iterable[str]) -> None:
        """Send hints of deliveries on record, a full Redis or not. Raises Unavailable."""
        await self._send(DELIVER_QUEUE, [make_hint(DELIVER_ACTOR, each) for each in references])

    async def _send(self, queue: str, hints: Sequence[str]) -> None:
        for start in range(0, len(hints), SENT_AT_ONCE):
            await self._client.call(
                SCRIPTS["send_hints"], [keyspace.hints(queue)], hints[start : start + SENT_AT_ONCE]
            )

    async def depth(self) -> int:
        """How many hints wait."""
        lengths = [
            self._client.send("LLEN", keyspace.hints(queue)) for queue in (WALK_QUEUE, BULK_QUEUE)
        ]
        # Together: cancelled at the first, it must not leave the second to fail unheard.
        return sum(int(length) for length in await asyncio.gather(*lengths))

    async def heads(self) -> dict[str, bytes | None]:
        """The hint that each queue gives next, None for an empty queue. Raises Unavailable."""
        found = [self._client.send("LINDEX", keyspace.hints(queue), 0) for queue in QUEUES]
        return dict(zip(QUEUES, await asyncio.gather(*found), strict=True))
