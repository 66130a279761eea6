"""Connections shared by peers and by accounts, so that nobody takes every descriptor."""

import resource
from collections import Counter

from engine.errors import TooManyConnections
from engine.process.setup import MAX_FILES
from engine.store import Principal
from gateway.admission.peers import Peers
from gateway.admission.request_context import RequestContext

RESERVED_FILES = 512
"""Descriptors for Redis, the media store, the history and files."""
LEAST = 64
FACTOR = 3
"""A holder has at most this many times as many places as are free: alone three quarters of all,
beside another greedy one three sevenths, and there is always a rest for those who come later."""
RETRY_SECONDS = 1


class Shares:
    """Places of which each holder may take some while others are left for the rest."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._held: Counter[str] = Counter()
        self._taken = 0

    def take_place(self, holder: str, *, is_bounded: bool = True) -> bool:
        """Take a place until `give_place_back`; return False when the holder has its share."""
        if is_bounded and self._held[holder] >= FACTOR * (self.capacity - self._taken):
            return False
        self._held[holder] += 1
        self._taken += 1
        return True

    def give_place_back(self, holder: str) -> None:
        """Give a place back."""
        self._taken -= 1
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]


class Connections:
    """Connections of the process by peer. Those of trusted proxies are counted but not bounded."""

    def __init__(self, peers: Peers, capacity: int | None = None) -> None:
        self._peers = peers
        self._shares = Shares(capacity or find_capacity())

    def open(self, address: str) -> str | None:
        """Count a connection from an IP address; return its peer, or None to refuse it."""
        peer = self._peers.network(address)
        is_bounded = not self._peers.is_proxy(address)
        return peer if self._shares.take_place(peer, is_bounded=is_bounded) else None

    def close(self, peer: str) -> None:
        """Stop counting a connection."""
        self._shares.give_place_back(peer)


class AccountRequests:
    """Requests under way by account: each holds a connection, whatever address it comes from."""

    def __init__(self, capacity: int | None = None) -> None:
        self._shares = Shares(capacity or find_capacity())

    def begin(self, context: RequestContext, principal: Principal) -> None:
        """Count a request for its account until `end`. Raises TooManyConnections."""
        context.principal = principal
        account_id = principal.account.id
        if context.account_id == account_id:
            return
        self.end(context)
        if not self._shares.take_place(account_id):
            limit = FACTOR * self._shares.capacity // (FACTOR + 1)
            raise TooManyConnections(principal.terms.tier.value, limit, RETRY_SECONDS)
        context.account_id = account_id

    def end(self, context: RequestContext) -> None:
        """Stop counting a request; nothing happens for one that was not counted."""
        if context.account_id:
            self._shares.give_place_back(context.account_id)
            context.account_id = ""


def find_capacity() -> int:
    """Return the number of connections for which this process has descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_FILES if soft == resource.RLIM_INFINITY else soft
    return max(LEAST, files - RESERVED_FILES)
