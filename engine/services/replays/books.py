"""Book of an execution of a replay: the outcomes that an earlier execution has recorded.

The book is a field of the new execution's record, so this needs nothing of the earlier one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors.nodes import NodeFailed
from engine.executions.node_waits import NodeWait
from engine.executions.rows import RecordedOutputs
from engine.store.redis.record_packing import pack, unpack
from engine.store.waits.records import end_field, parse_wait, wait_field


class RecordedOutcome(Struct, frozen=True, array_like=True):
    """Outcome of a node that has ended: its outputs, or its failure."""

    digest: bytes
    node_id: str
    wired: tuple[str, ...]
    """Outputs that had edges; others may be missing."""
    outputs: RecordedOutputs = None
    """Packed outputs, or the name of their object."""
    error: dict[str, Any] | None = None

    @property
    def failure(self) -> NodeFailed | None:
        """Failure of the node; None: it has completed."""
        return None if self.error is None else NodeFailed(self.error["code"], self.error["message"])


class RecordedAnswer(Struct, frozen=True, array_like=True):
    """Approval that has ended, as the record had it."""

    digest: bytes
    node_id: str
    wait: bytes
    end: bytes

    def as_wait(self) -> NodeWait:
        """Return the approval with its answer."""
        record = {"status": b"processing", wait_field(0): self.wait, end_field(0): self.end}
        wait = parse_wait("", "", record, 0)
        if wait is None:
            raise AssertionError("an approval in a book is on record")
        return wait


class Book(Struct, frozen=True, array_like=True):
    """Recorded outcomes and answers, in the order of the earlier execution."""

    outcomes: tuple[RecordedOutcome, ...] = ()
    answers: tuple[RecordedAnswer, ...] = ()


class OpenBook:
    """Book in which outcomes are found by digest."""

    def __init__(self, book: Book) -> None:
        self._outcomes: dict[bytes, list[RecordedOutcome]] = {}
        self._answers: dict[str, list[RecordedAnswer]] = {}
        for outcome in book.outcomes:
            self._outcomes.setdefault(outcome.digest, []).append(outcome)
        for answer in book.answers:
            self._answers.setdefault(answer.node_id, []).append(answer)

    def find_outcomes(self, digest: bytes, node_id: str) -> Sequence[RecordedOutcome]:
        """Return the outcomes of equal nodes, that of the node with this id first."""
        found = self._outcomes.get(digest, ())
        return sorted(found, key=lambda each: each.node_id != node_id)

    def find_answer(
        self, digest: bytes, node_id: str, fields: Sequence[Mapping[str, Any]]
    ) -> NodeWait | None:
        """Return the answered approval of a node that asks with these fields, if there is one.

        That with the same inputs comes first; else the only one of the node with this id.
        """
        form = pack(list(fields))
        answers = [(each, each.as_wait()) for each in self._answers.get(node_id, ())]
        fitting = [(each, wait) for each, wait in answers if pack(list(wait.fields)) == form]
        same = [wait for each, wait in fitting if each.digest == digest]
        if same:
            return same[0]
        return fitting[0][1] if len(fitting) == 1 else None


def pack_book(book: Book) -> bytes:
    """Return a book as it stands on record."""
    return pack(msgspec.to_builtins(book, builtin_types=(bytes,)))


def unpack_book(packed: bytes) -> Book:
    """Return the book of a record."""
    return msgspec.convert(unpack(packed), Book, builtin_types=(bytes,))
