"""Hints: disposable messages that work may be available; the record is authoritative.

A hint names its subject. Its optional second line carries the data with which a worker can begin
before it has read the record.

This is version 1 of the form, and begins with a letter. Hints of a later version begin with a byte
below 0x20, the version. A worker drops those of a version or for an actor that it does not know:
the sweeper repeats a hint for whatever no worker has taken.
"""

import asyncio
from collections.abc import Iterable, Sequence

from msgspec import Struct

from engine.ids.slugs import SLUG
from engine.store.redis import process_keys
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS

WALK_QUEUE = "walk"
BULK_QUEUE = "bulk"
"""Queue for accounts with many active executions: read with lower priority."""
WALK_ACTOR = "walk"
DELIVER_QUEUE = "deliver"
DELIVER_ACTOR = "deliver"
COVER_ACTOR = "cover"
"""Takes its hints from the queue of deliveries."""
QUEUES = (WALK_QUEUE, BULK_QUEUE, DELIVER_QUEUE)
FIRST_LETTER = 0x20
"""Bytes below are versions of later forms."""
SENT_AT_ONCE = 1_000
MAX_CARRIED_BYTES = 4_096
"""Most bytes of inputs in a hint; larger inputs are read from the record."""


class InlineRun(Struct, frozen=True, kw_only=True):
    """Run inlined in a hint; `inputs` are packed as on record."""

    slug: str
    version: int
    inputs: bytes


class UnknownHint(ValueError):
    """The form of a hint is of a later release."""


def make_hint(actor: str, argument: str) -> str:
    """Return a hint for an actor's name."""
    return f"{actor}|{argument}"


def parse_hint(data: bytes) -> tuple[str, str]:
    """Return actor and argument. Raises ValueError, for a hint of a later release UnknownHint."""
    if data and data[0] < FIRST_LETTER:
        raise UnknownHint(f"a hint of version {data[0]}")
    actor, bar, argument = data.partition(b"\n")[0].decode().partition("|")
    if not bar:
        raise ValueError("not a hint")
    return actor, argument


def add_inline_run(hint: str, inline_run: InlineRun) -> bytes:
    """Return the hint with an inlined run."""
    return f"{hint}\n{inline_run.version}|{inline_run.slug}|".encode() + inline_run.inputs


def parse_inline_run(data: bytes) -> InlineRun | None:
    """Return the inlined run of a hint, if any. Raises ValueError when it is malformed."""
    _, line, inline_run = data.partition(b"\n")
    if not line:
        return None
    version, slug, inputs = inline_run.split(b"|", 2)
    is_named = version.isdigit() and SLUG.fullmatch(slug.decode()) is not None
    if not is_named or len(inputs) > MAX_CARRIED_BYTES:
        raise ValueError("not what a hint carries")
    return InlineRun(slug=slug.decode(), version=int(version), inputs=inputs)


class HintSender:
    """Sends hints without blocking the event loop; the sweeper repeats lost hints."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def shares_pipeline(self, client: Client) -> bool:
        """Return whether hints use the pipeline of this client, after its commands.

        On a cluster, a hint may be executed at its primary before a command at another one.
        """
        return self._client is client and client.keeps_order

    def send_soon(
        self, reference: str, queue: str = WALK_QUEUE, inline_run: InlineRun | None = None
    ) -> None:
        """Send a walk hint in the current pipeline without waiting for the reply.

        A full Redis refuses the hint, as it may refuse its execution.
        """
        hint = make_hint(WALK_ACTOR, reference)
        data = hint if inline_run is None else add_inline_run(hint, inline_run)
        self._client.post("RPUSH", process_keys.hints(queue), data)

    async def send(self, references: Iterable[str], queue: str = WALK_QUEUE) -> None:
        """Send walk hints of recorded executions, even to a full Redis. Raises Unavailable."""
        await self._send(queue, [make_hint(WALK_ACTOR, each) for each in references])

    def send_delivery_soon(self, reference: str) -> None:
        """Send a hint of a recorded delivery, even to a full Redis, without waiting."""
        forget(self._send_together(DELIVER_QUEUE, [make_hint(DELIVER_ACTOR, reference)]))

    def send_cover_soon(self, reference: str) -> None:
        """Send a hint of a workflow whose cover is to be fetched, without waiting."""
        hint = make_hint(COVER_ACTOR, reference)
        self._client.post("RPUSH", process_keys.hints(DELIVER_QUEUE), hint)

    async def send_deliveries(self, references: Iterable[str]) -> None:
        """Send hints of recorded deliveries, even to a full Redis. Raises Unavailable."""
        await self._send(DELIVER_QUEUE, [make_hint(DELIVER_ACTOR, each) for each in references])

    async def _send(self, queue: str, hints: Sequence[str]) -> None:
        for start in range(0, len(hints), SENT_AT_ONCE):
            await self._send_together(queue, hints[start : start + SENT_AT_ONCE])

    def _send_together(self, queue: str, hints: Sequence[str]) -> asyncio.Future[int]:
        return self._client.call(
            SCRIPTS["send_hints"], queue=process_keys.hints(queue), hints=hints
        )

    async def depth(self) -> int:
        """Return the number of waiting hints of executions."""
        depths = await self.depths((WALK_QUEUE, BULK_QUEUE))
        return sum(depths.values())

    async def depths(self, queues: Sequence[str] = QUEUES) -> dict[str, int]:
        """Return the number of waiting hints of each queue."""
        # Gather all: a failure of the first must not leave the others unobserved.
        lengths = [self._client.send("LLEN", process_keys.hints(queue)) for queue in queues]
        depths = zip(queues, await asyncio.gather(*lengths), strict=True)
        return {queue: int(length) for queue, length in depths}

    async def heads(self) -> dict[str, bytes | None]:
        """Return the first hint of each queue, None for an empty queue. Raises Unavailable."""
        heads = [self._client.send("LINDEX", process_keys.hints(queue), 0) for queue in QUEUES]
        return dict(zip(QUEUES, await asyncio.gather(*heads), strict=True))

    async def at(self, queue: str, places: Iterable[int]) -> Sequence[bytes]:
        """Return the hints at these positions of a queue, as far as there are any.

        Raises Unavailable.
        """
        key = process_keys.hints(queue)
        hints = await asyncio.gather(*(self._client.send("LINDEX", key, each) for each in places))
        return [hint for hint in hints if hint is not None]
