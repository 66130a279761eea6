"""Redis keys of batches."""

from typing import Self

from msgspec import Struct

from engine.executions.batches import BatchKind
from engine.ids.partitions import partition_of
from engine.store.redis.keyspace import account_tag, partition_tag


def batch(account_id: str, batch_id: str) -> str:
    """Hash: one batch, with the statuses of its items as a string and its items in packed chunks.

    `c<number>` is a chunk or the name of an object with it, `chunks` the first index of each one,
    and `f<index>` the packed error of an item that never became an execution. A list of another
    `kind` has fields of its own beside; `verdicts` is a string with a code per item, and
    `v<index>` a packed verdict, or the name of an object with it.
    """
    return f"{account_tag(account_id)}:batch:{account_id}:{batch_id}"


def account_batches(account_id: str) -> str:
    """Sorted set: batch id by creation time in milliseconds."""
    return f"{account_tag(account_id)}:account:{account_id}:batches"


def account_replays(account_id: str) -> str:
    """Sorted set: id of a replay by creation time in milliseconds."""
    return f"{account_tag(account_id)}:account:{account_id}:replays"


def workflow_test_runs(account_id: str, slug: str) -> str:
    """Sorted set: id of a workflow's test run by creation time in milliseconds."""
    return f"{account_tag(account_id)}:workflow:{account_id}:{slug}:test_runs"


def listed(kind: BatchKind, account_id: str, slug: str) -> str:
    """Return the key of the set that lists batches of a kind."""
    match kind:
        case BatchKind.REPLAY:
            return account_replays(account_id)
        case BatchKind.TESTS:
            return workflow_test_runs(account_id, slug)
        case _:
            return account_batches(account_id)


def ended_lists(partition: int) -> str:
    """Sorted set: account/id of a replay or test run that is over, by that time, for its removal.

    It stands in place of the outbox of batches, since the history has no such lists.
    """
    return f"{partition_tag(partition)}:ended_lists"


def account_items(account_id: str) -> str:
    """Hash: numbers of the items of all batches that are queued and that run.

    `lists` is the number of replays and test runs that are not over.
    """
    return f"{account_tag(account_id)}:account:{account_id}:items"


def open_batches(account_id: str) -> str:
    """Sorted set: batch id by the time in milliseconds of the next look at it."""
    return f"{account_tag(account_id)}:account:{account_id}:open_batches"


def batches_due(partition: int) -> str:
    """Sorted set: account id by the time in milliseconds of the next look at its batches."""
    return f"{partition_tag(partition)}:batches_due"


def unarchived_batches(partition: int) -> str:
    """Sorted set: account/batch that is over and is not in the history yet, by that time.

    It is the outbox between a batch's end and the history.
    """
    return f"{partition_tag(partition)}:unarchived_batches"


def archived_batches(partition: int) -> str:
    """Sorted set: account/batch that the history has, by the time in milliseconds of its write."""
    return f"{partition_tag(partition)}:archived_batches"


REFERENCE = "batch "
"""Prefix of ids of batches among the references of an asset."""


def asset_reference(batch_id: str) -> str:
    """Return the reference by which a batch retains assets until its items have begun."""
    return f"{REFERENCE}{batch_id}"


class BatchKeys(Struct, frozen=True):
    """Keys with which a script moves an item of a batch, by their names in scripts."""

    batch: str | None
    account_items: str | None
    open_batches: str | None
    batches_due: str | None

    @classmethod
    def of(cls, account_id: str, batch_id: str) -> Self:
        """Return the keys of a batch."""
        return cls(
            batch(account_id, batch_id),
            account_items(account_id),
            open_batches(account_id),
            batches_due(partition_of(account_id)),
        )


NO_BATCH = BatchKeys(None, None, None, None)
"""Keys of an execution that is no item."""
