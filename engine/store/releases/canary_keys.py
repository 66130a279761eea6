"""Redis keys of canaries that are counted."""

from msgspec import Struct

from engine.ids.partitions import partition_of
from engine.store.redis.keyspace import account_tag, partition_tag
from engine.store.releases.keys import canary_counts


def open_canaries(account_id: str) -> str:
    """Sorted set: slug of a workflow whose canaries are counted, by the time in milliseconds of the
    next look at them."""
    return f"{account_tag(account_id)}:account:{account_id}:open_canaries"


def canaries_due(partition: int) -> str:
    """Sorted set: account id by the time in milliseconds of the next look at its canaries."""
    return f"{partition_tag(partition)}:canaries_due"


class CanaryKeys(Struct, frozen=True):
    """Keys with which a script counts the end of a run of a workflow."""

    canary_counts: str
    open_canaries: str
    canaries_due: str

    @classmethod
    def of(cls, account_id: str, slug: str) -> "CanaryKeys":
        """Return the keys of a workflow."""
        return cls(
            canary_counts(account_id, slug),
            open_canaries(account_id),
            canaries_due(partition_of(account_id)),
        )
