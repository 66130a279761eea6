"""A cache with bounds: what was used longest ago gives way."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Keeps so many values, and where `most_bytes` is given so many bytes of them."""

    def __init__(self, most: int, most_bytes: int = 0) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._values: OrderedDict[K, V] = OrderedDict()
        self._sizes: dict[K, int] = {}
        self.bytes = 0
        """Size of the values, as far as it was told."""

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def get(self, key: K) -> V | None:
        """The value, None when there is none."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V, size: int = 0) -> None:
        """Keep a value of so many bytes in the place of the one before."""
        self.drop(key)
        self._values[key] = value
        if size:
            self._sizes[key] = size
            self.bytes += size
        while len(self._values) > self._most or self._is_over():
            self.drop(next(iter(self._values)))

    def _is_over(self) -> bool:
        is_over = 0 < self._most_bytes < self.bytes
        return is_over and len(self._values) > 1

    def drop(self, key: K) -> None:
        """Keep it no more, if it is kept."""
        if key in self._values:
            del self._values[key]
            self.bytes -= self._sizes.pop(key, 0)
