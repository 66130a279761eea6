"""Limits on the size of a run's values: all together, and on its record."""

from collections.abc import Mapping, Sequence

from engine.store.executions.offload import is_large

RECORD_BYTES = 1_048_576
"""Once the record has values of this size, only small ones are added to it."""
SMALL_BYTES = 1_024


def record_size(record: Mapping[str, bytes]) -> int:
    """Return the bytes of all values on a record."""
    return sum(map(len, record.values()))


class OutputSizes:
    """The packed sizes of a run's outputs, limited in bytes.

    `used` are the bytes of the run's other executions, which count for the total alone.
    """

    __slots__ = ("_max_bytes", "_sizes", "_total", "_used")

    def __init__(self, max_bytes: int, used: int = 0) -> None:
        self._max_bytes = max_bytes
        self._used = used
        self._sizes: dict[int, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        """Bytes of all outputs."""
        return self._total

    def add(self, index: int, size: int) -> bool:
        """Count a node's output, instead of an earlier one; False: the total is over the limit."""
        self._total += size - self._sizes.get(index, 0)
        self._sizes[index] = size
        return self._total + self._used <= self._max_bytes

    def allow(self, sources: Sequence[int]) -> bool:
        """Return whether the outputs of these nodes may be inputs together.

        Each counts as often as it occurs: a list of many wires to one large output would fill the
        memory.
        """
        if len(sources) * self._total <= self._max_bytes:
            return True
        sizes = self._sizes
        return sum([sizes.get(index, 0) for index in sources]) <= self._max_bytes


class RecordCapacity:
    """Free bytes of the record, which each claim reads whole."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used = 0

    def fits(self, size: int) -> bool:
        """Return whether a value of this size goes on the record instead of into an object."""
        is_over = self._used + size > RECORD_BYTES
        return not is_large(size) and (size <= SMALL_BYTES or not is_over)

    def add(self, size: int) -> None:
        """Count a value on the record."""
        self._used += size
