"""Redis keys of waits of nodes, all in the partition of their account."""

from typing import Self

from msgspec import Struct
from msgspec.structs import asdict

from engine.store.redis import keyspace
from engine.store.redis.keyspace import account_tag


def waits(account_id: str) -> str:
    """Hash: execution id → number of its open waits, for those that have some."""
    return f"{account_tag(account_id)}:account:{account_id}:waits"


def approvals(account_id: str) -> str:
    """Sorted set: execution/node index of open approvals by the time in ms of their begin."""
    return f"{account_tag(account_id)}:account:{account_id}:approvals"


def child_waits(account_id: str, root_id: str) -> str:
    """Sorted set: execution/node index of the open waits of a root's children, by their begin."""
    return f"{account_tag(account_id)}:child_waits:{account_id}:{root_id}"


def waited(account_id: str) -> str:
    """Set: ids of executions that have not ended and have waited; of children, their roots.

    Those that only wait now are not among the active ones: `only_waits` on record says so.
    """
    return f"{account_tag(account_id)}:account:{account_id}:waited"


def waiting_items(account_id: str) -> str:
    """Hash: batch id → number of its items that only wait; `all` is their sum."""
    return f"{account_tag(account_id)}:account:{account_id}:waiting_items"


class WaitKeys(Struct, frozen=True):
    """Keys with which a script moves an execution that has waited, by their names in scripts."""

    waits: str
    approvals: str
    child_waits: str
    waited: str
    waiting_items: str
    first_call: str | None

    @classmethod
    def of(cls, account_id: str, root_id: str, digest: str = "") -> Self:
        """Return the keys; `digest` is that of the idempotency key of the execution, if any."""
        return cls(
            waits(account_id),
            approvals(account_id),
            child_waits(account_id, root_id),
            waited(account_id),
            waiting_items(account_id),
            keyspace.idempotency(account_id, digest) if digest else None,
        )

    @property
    def names(self) -> dict[str, str | None]:
        """The keys by their names in scripts."""
        return asdict(self)
