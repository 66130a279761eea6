"""Rows of nodes, failed attempts and answers for items, as records of executions have them.

Each row is an array of msgpack. A row of a later version may have more members, which are ignored,
and a row of an earlier one fewer, which get their defaults.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    RecordedOutputs = bytes | str | None
else:  # msgspec takes no union of bytes and texts
    RecordedOutputs = Any


class NodeRow(msgspec.Struct, array_like=True, gc=False):
    """Settled node. One that was settled from the start has 0 attempts and no times."""

    index: int
    """Position in the plan."""
    attempts: int = 0
    started_at: int | None = None
    """Begin of the last attempt, in milliseconds since the epoch."""
    duration_ms: int | None = None
    """Duration of the last attempt."""
    error: dict[str, Any] | None = None
    outputs: RecordedOutputs = None
    """Packed outputs, or the name under which they are offloaded."""
    credits: int = 0
    turn_ms: int = 0
    """Time for which the last attempt waited for its turn at a provider."""

    @property
    def ended_at(self) -> int | None:
        """Return the end of the last attempt; None without attempts."""
        if self.started_at is None or self.duration_ms is None:
            return None
        return self.started_at + self.duration_ms


class FailedAttemptRow(msgspec.Struct, array_like=True, gc=False):
    """Failed attempt at a node that is retried."""

    index: int
    """Position of the node in the plan."""
    number: int
    """Number of the attempt, from 1."""
    started_at: int
    """In milliseconds since the epoch."""
    duration_ms: int
    error: dict[str, Any] | None = None
    turn_ms: int = 0
    """Time for which the attempt waited for its turn at a provider."""
    pause_ms: int = 0
    """Time until the next attempt."""


class StepRows(msgspec.Struct, array_like=True, gc=False):
    """Rows that one step of a walk records."""

    nodes: list[NodeRow] = []
    failed_attempts: list[FailedAttemptRow] = []


class ItemAnswerRow(msgspec.Struct, array_like=True, gc=False):
    """Answer of a model for an item of a list, recorded before the node has ended."""

    item: int
    value: bytes | None = None
    """Packed value; None: the item has no valid answer."""
    micro_usd: int | None = None
    """Cost where another model answered; None: the cost of the usage."""
    calls: int = 0
    images: int = 0
    seconds: Decimal = Decimal(0)
    input_tokens: int = 0
    output_tokens: int = 0
    input_seconds: Decimal = Decimal(0)


_encode = msgspec.msgpack.Encoder().encode
pack_rows: Callable[[StepRows], bytes] = _encode
"""Function that packs `StepRows`."""


def pack_short_rows(indexes: Sequence[int]) -> bytes:
    """Pack rows of nodes that one attempt has completed within a millisecond.

    Members that have their defaults are left out: Redis keeps small records in less memory.
    """
    return _encode(([(index, 1, 0, 0) for index in indexes],))


unpack_rows = msgspec.msgpack.Decoder(StepRows).decode
"""Function that unpacks `StepRows`. Raises msgspec.DecodeError."""
pack_answers: Callable[[Sequence[ItemAnswerRow]], bytes] = msgspec.msgpack.Encoder().encode
"""Function that packs a batch of answers."""
unpack_answers = msgspec.msgpack.Decoder(list[ItemAnswerRow]).decode
"""Function that unpacks a batch of answers. Raises msgspec.DecodeError."""


def split_outputs(
    rows: Sequence[NodeRow],
) -> tuple[list[NodeRow], dict[int, bytes | str]]:
    """Return rows without their outputs, and the outputs by node."""
    bare = [msgspec.structs.replace(row, outputs=None) for row in rows]
    outputs = {row.index: row.outputs for row in rows if row.outputs is not None}
    return bare, outputs
