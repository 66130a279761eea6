"""Routes of commands in a cluster: the slot of the first key, or the rule of a command without one.

The table has the commands of the product alone: a test compares it with the sources and with the
server. An unknown command raises, since a guessed route may execute it on the wrong primary.
"""

from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import cast

from redis.crc import key_slot

from engine.store.redis import process_keys

Word = str | bytes | int | float

ANY_PRIMARY = -1
"""Route of a command that every primary executes for the whole cluster."""

_KEY_PLACES = {
    **dict.fromkeys(("DEL", "EXISTS", "UNLINK", "GET", "SET"), 1),
    **dict.fromkeys(("HDEL", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET"), 1),
    **dict.fromkeys(("HSCAN", "HSET", "HSETNX", "HSTRLEN", "HVALS"), 1),
    **dict.fromkeys(("LINDEX", "LLEN", "PEXPIREAT", "RPUSH"), 1),
    **dict.fromkeys(("SADD", "SCARD", "SISMEMBER", "SMEMBERS", "SRANDMEMBER", "SREM", "SSCAN"), 1),
    **dict.fromkeys(("XADD", "XLEN", "XRANGE", "XREVRANGE", "XSETID"), 1),
    **dict.fromkeys(("ZADD", "ZCARD", "ZRANGE", "ZREM", "ZREMRANGEBYSCORE", "ZREVRANK"), 1),
    **dict.fromkeys(("ZCOUNT", "ZMSCORE", "ZSCAN", "ZSCORE"), 1),
    "MEMORY": 2,
}
"""Position of the first key by command; all further keys of a command are in the same slot."""

_AT_WORKERS = frozenset({"PING", "TIME"})
"""Commands without a key that go to the primary of the workers' leases.

Times that the product compares with leases are then of one clock, and a process that cannot reach
this primary is not ready: no worker holds a lease there.
"""

_AT_ANY = frozenset({"PUBLISH"})
"""The nodes of a cluster pass each published message on to all others."""


def key_places() -> Mapping[str, int]:
    """Return the position of the first key by command."""
    return _KEY_PLACES


def commands() -> Set[str]:
    """Return the commands with a route."""
    return _KEY_PLACES.keys() | _AT_WORKERS | _AT_ANY


@lru_cache(4_096)  # a run names some thirty keys of the tag of its account, and new ones each time
def _slot_of_tag(tag: str) -> int:
    return int(key_slot(tag.encode()))


def slot_of(key: str) -> int:
    """Return the slot of a key, 0 to 16,383: that of its hash tag, if it has one."""
    start = key.find("{")
    if start >= 0:
        end = key.find("}", start + 1)
        if end > start + 1:
            return _slot_of_tag(key[start + 1 : end])
    return int(key_slot(key.encode()))


def route(command: Sequence[Word]) -> int:
    """Return the slot whose primary executes a plain command, or `ANY_PRIMARY`.

    Raises ValueError for a command without a known route.
    """
    name = command[0]
    place = _KEY_PLACES.get(str(name))
    if place is not None and len(command) > place:
        return slot_of(cast(str, command[place]))
    if name in _AT_WORKERS:
        return slot_of(process_keys.workers())
    if name in _AT_ANY:
        return ANY_PRIMARY
    raise ValueError(f"{name!r} has no route in a cluster")
