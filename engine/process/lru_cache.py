"""Bounded cache that evicts the least recently used value."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Cache of at most `max_entries` values and, unless it is 0, `max_bytes` bytes."""

    def __init__(self, max_entries: int, max_bytes: int = 0) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._values: OrderedDict[K, V] = OrderedDict()
        self._sizes: dict[K, int] = {}
        self.bytes = 0
        """Total of the sizes passed to `put`."""

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V, size: int = 0) -> None:
        """Store a value of `size` bytes under a key, replacing the old one."""
        self.drop(key)
        self._values[key] = value
        if size:
            self._sizes[key] = size
            self.bytes += size
        while len(self._values) > self._max_entries or self._is_over():
            self.drop(next(iter(self._values)))

    def _is_over(self) -> bool:
        is_over = 0 < self._max_bytes < self.bytes
        return is_over and len(self._values) > 1

    def drop(self, key: K) -> None:
        """Remove the value of a key, if there is one."""
        if key in self._values:
            del self._values[key]
            self.bytes -= self._sizes.pop(key, 0)
