"""Bounded queue that serves accounts in turn, and space, of which none takes that of the others."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class AccountQueue(Generic[T]):
    """Queue of weighted items; threads may add and take at the same time.

    An account may hold as much as is free. So one alone gets half of the queue, two get a third
    each, and the next one finds space.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[T, int]]] = {}
        """Items by account; the account whose turn it is comes first."""
        self._held: dict[str, int] = {}
        self._total = 0

    def __len__(self) -> int:
        """Return the weight of all items."""
        return self._total

    def add(self, account_id: str, item: T, weight: int = 1) -> bool:
        """Add an item of an account; False: the account's share is full."""
        with self._lock:
            held = self._held.get(account_id, 0)
            if held + weight > self._capacity - self._total:
                return False
            self._waiting.setdefault(account_id, deque()).append((item, weight))
            self._held[account_id] = held + weight
            self._total += weight
            return True

    def take(self, weight: int) -> list[T]:
        """Remove and return items of about this weight, one of each account in turn."""
        taken: list[T] = []
        with self._lock:
            while self._waiting and weight > 0:
                account_id = next(iter(self._waiting))
                items = self._waiting.pop(account_id)
                item, size = items.popleft()
                taken.append(item)
                weight -= size
                self._total -= size
                self._held[account_id] -= size
                if items:
                    self._waiting[account_id] = items  # its next turn comes after the others'
                else:
                    del self._held[account_id]
        return taken


class AccountSpace:
    """Bounded number of places, used by one thread; an account may hold as many as are free."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._held: dict[str, int] = {}

    def take(self, account_id: str) -> bool:
        """Take a place for an account; False: its share is full."""
        held = self._held.get(account_id, 0)
        if held >= self._free:
            return False
        self._held[account_id] = held + 1
        self._free -= 1
        return True

    def give_back(self, account_id: str, count: int) -> None:
        """Free places of an account."""
        self._free += count
        held = self._held.pop(account_id) - count
        if held:
            self._held[account_id] = held
