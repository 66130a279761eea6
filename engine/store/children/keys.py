"""Redis keys of groups: the children of one node of one execution."""

from typing import Self

from msgspec import Struct
from msgspec.structs import asdict

from engine.ids.partitions import partition_of
from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE
from engine.store.dispatch.queue_selector import BULK_FROM
from engine.store.redis import keyspace
from engine.store.redis.keyspace import account_tag, partition_tag
from engine.store.waits import keys as wait_keys


def children(account_id: str, parent_id: str, node: int) -> str:
    """Hash: one group, the children of a node of their parent.

    `s<n>` are the states of 1,000 children each, a letter of `ItemStatus` per child. `c<n>` is a
    chunk of the items, `r<i>` the packed result of child i, `e<i>` its packed error; large ones
    are the names of objects of the parent. A group that grows has in `i<i>` the target and the
    inputs of child i, and in `m<i>` its credits and milliseconds.
    """
    return f"{account_tag(account_id)}:children:{account_id}:{parent_id}:{node}"


def group_key(account_id: str, member: str) -> str:
    """Return the key of a group by its name in `open_children`."""
    parent_id, _, node = member.rpartition("/")
    return children(account_id, parent_id, int(node))


GROUPS = "groups"
"""Field of a parent's record: `<node index>=<number of children>` of each node, with commas."""


KEPT_VERSIONS = "kept_versions"
"""Field of a parent's record: `<slug>@<version>` of workflows that its nodes may call later on."""


def parse_groups(field: bytes | None) -> dict[int, int]:
    """Return the number of children by the index of their node."""
    pairs = (each.split("=") for each in (field or b"").decode().split(",") if each)
    return {int(index): int(size) for index, size in pairs}


def group_keys(account_id: str, parent_id: str, field: bytes | None) -> list[str]:
    """Return the keys of all groups of a parent, by the field of its record."""
    return [children(account_id, parent_id, node) for node in parse_groups(field)]


def open_children(account_id: str) -> str:
    """Sorted set: parent/node of open groups by the time in milliseconds of the next look."""
    return f"{account_tag(account_id)}:account:{account_id}:open_children"


def children_due(partition: int) -> str:
    """Sorted set: account id by the time in milliseconds of the next look at its groups."""
    return f"{partition_tag(partition)}:children_due"


class GroupRef(Struct, frozen=True):
    """Name of a group: a node, by its index, of a parent; and the root of both."""

    account_id: str
    parent_id: str
    node: int
    root_id: str

    @property
    def member(self) -> str:
        """Member of `open_children`."""
        return f"{self.parent_id}/{self.node}"


class GroupKeys(Struct, frozen=True):
    """Keys with which a script moves a child, by their names in scripts."""

    group: str
    parent: str
    root: str
    open_children: str
    children_due: str
    root_events: str
    waiting_items: str

    @classmethod
    def of(cls, ref: GroupRef) -> Self:
        """Return the keys of a group."""
        account_id = ref.account_id
        return cls(
            children(account_id, ref.parent_id, ref.node),
            keyspace.execution(account_id, ref.parent_id),
            keyspace.execution(account_id, ref.root_id),
            open_children(account_id),
            children_due(partition_of(account_id)),
            keyspace.events(account_id, ref.root_id),
            wait_keys.waiting_items(account_id),
        )

    @property
    def names(self) -> dict[str, str | None]:
        """The keys by their names in scripts."""
        return asdict(self)


def parse_woken(ref: GroupRef, woken: bytes) -> tuple[str, str]:
    """Return the reference of a parent that a script has woken, and the queue of its hint."""
    parent_id, active = woken.decode().split(":")
    is_bulk = ref.parent_id != ref.root_id or int(active) > BULK_FROM
    return keyspace.reference(ref.account_id, parent_id), BULK_QUEUE if is_bulk else WALK_QUEUE
