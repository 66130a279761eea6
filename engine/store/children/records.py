"""Groups to open, and groups as they stand on record."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.executions.batches import BatchCounts, ItemStatus, parse_item_status
from engine.executions.children import GroupStatus
from engine.graph.body_paths import format_path, parse_path
from engine.models.manifest import Trial
from engine.store.children.keys import GroupRef
from engine.store.formats import OF_PLAIN_GROUP

STATES_OF_BLOCK = 1_000
"""States of children in one field of the record."""


class GroupTarget(Struct, frozen=True, kw_only=True):
    """Graph that the children of a group run."""

    slug: str
    version: int
    """Version of the workflow; 0 for a draft."""
    owner_id: str = ""
    """Account of the workflow; empty: that of the parent."""
    body: tuple[str, ...] = ()
    """Ids of the outer nodes down to the one whose body runs; empty: the whole workflow."""
    draft_of: str = ""
    """Execution whose record has the graph of the draft; empty: a saved version runs."""

    @property
    def is_foreign_call(self) -> bool:
        """Whether another account's workflow is called by a public one of that account."""
        return bool(self.owner_id and not self.body)

    def record_fields(self) -> dict[str, Any]:
        """Return the fields of the record."""
        fields = {
            "slug": self.slug,
            "version": self.version,
            "owner": self.owner_id,
            "body": format_path(self.body),
            "draft_of": self.draft_of,
        }
        return {name: value for name, value in fields.items() if value != ""}

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Return the target of its record's fields."""
        return cls(
            slug=fields["slug"],
            version=int(fields["version"]),
            owner_id=fields.get("owner", ""),
            body=parse_path(fields.get("body")),
            draft_of=fields.get("draft_of", ""),
        )


class NewGroup(Struct, frozen=True, kw_only=True):
    """Group to open: its inputs are checked as its children begin."""

    ref: GroupRef
    node_id: str
    target: GroupTarget
    depth: int
    """Depth of the children as records have it: 1 is that of a root."""
    shared: Mapping[str, Any]
    """Inputs of each child."""
    over: str | None = None
    """Field that takes the item; None: one child without an item."""
    items: Sequence[Any] = ()
    """With `over`: one value for each child."""
    with_index: bool = False
    """Whether the field `index` takes the number of the item."""
    concurrency: int = 1
    """Most children of the group that run at once."""
    on_error: str = "fail"
    """Effect of a failed child: `fail`, `null` or `skip`."""
    former: str = ""
    """Failed parent whose children are kept; empty: all begin anew."""
    object_prefix: str = ""
    """Beginning of the names of objects, `Lease.object_prefix`."""

    @property
    def size(self) -> int:
        """Number of children."""
        return 1 if self.over is None else len(self.items)

    def record_fields(self) -> dict[str, Any]:
        """Return the first fields of the record but those of inputs and items."""
        fields = {
            "format": OF_PLAIN_GROUP,
            "node": self.node_id,
            "root": self.ref.root_id,
            "depth": self.depth,
            "over": self.over or "",
            "with_index": "1" if self.with_index else "",
            "concurrency": self.concurrency,
            "on_error": self.on_error,
            "former": self.former,
            **self.target.record_fields(),
        }
        return {name: value for name, value in fields.items() if value != ""}


class Group(Struct, frozen=True, kw_only=True):
    """Group on record. Times are in milliseconds."""

    ref: GroupRef
    node_id: str
    status: GroupStatus
    size: int
    states: str
    """Codes of the states of all children, see `ItemStatus`."""
    created_at: int
    target: GroupTarget
    depth: int
    """Depth of the children as records have it."""
    over: str | None
    with_index: bool
    concurrency: int
    on_error: str
    former: str
    failed: int | None
    """Index of the child whose failure fails the node; None: none has."""

    grows: bool = False
    """Whether the group grows by rounds; each of its children has a target of its own."""
    format: int = OF_PLAIN_GROUP
    """Format of the record."""

    @property
    def is_decided(self) -> bool:
        """Whether the parent need not wait: all children have ended, or one fails the node."""
        return self.status is GroupStatus.DONE or self.failed is not None

    @property
    def counts(self) -> BatchCounts:
        """Number of children of each status."""
        return BatchCounts.of(self.states)

    def status_of(self, index: int) -> ItemStatus:
        """Return the status of a child."""
        return parse_item_status(self.states[index])


HEAD_FIELDS = (
    *("status", "node", "root", "size", "created", "slug", "version", "owner", "body"),
    *("draft_of", "depth", "over", "with_index", "concurrency", "on_error", "former", "failed"),
    *("grows", "format"),
)
"""Fields of the record of which `parse_group` takes the values."""


def state_fields(size: int) -> list[str]:
    """Return the names of the fields with the states of a group of this size."""
    return [f"s{number}" for number in range(-(-size // STATES_OF_BLOCK))]


def parse_group(ref: GroupRef, values: Sequence[bytes | None], states: str) -> Group:
    """Return the group with the values of `HEAD_FIELDS` and the states of all its children."""
    texts = {name: (value or b"").decode() for name, value in zip(HEAD_FIELDS, values, strict=True)}
    return Group(
        ref=ref,
        node_id=texts["node"],
        status=GroupStatus(texts["status"]),
        size=int(texts["size"]),
        states=states,
        created_at=int(texts["created"]),
        target=GroupTarget.of_fields(texts),
        depth=int(texts["depth"]),
        over=texts["over"] or None,
        with_index=texts["with_index"] == "1",
        concurrency=int(texts["concurrency"]),
        on_error=texts["on_error"],
        former=texts["former"],
        failed=int(texts["failed"]) if texts["failed"] else None,
        grows=texts["grows"] == "1",
        format=int(texts["format"] or 1),
    )


class GroupOpened(Struct, frozen=True):
    """The group is on record, opened now or before."""

    size: int
    created_at: int


class TooManyChildren(Struct, frozen=True):
    """The root would have more children than it may; `count` has it already."""

    count: int


class ParentEnded(Struct, frozen=True):
    """The parent or its root has ended, or its node has: nothing begins."""


class CalleeGone(Struct, frozen=True):
    """The workflow or its version is gone."""


OpenVerdict = GroupOpened | TooManyChildren | ParentEnded | CalleeGone


class NewChild(Struct, frozen=True, kw_only=True):
    """Child to begin."""

    index: int
    statuses: str
    """Codes of the statuses of its nodes."""
    fields: Mapping[str, Any]
    """Further fields of its record, such as `NewExecution.record_fields` returns."""


class ChildCharge(Struct, frozen=True, kw_only=True):
    """Payment for nodes of children that begin together."""

    models: Sequence[str]
    """Internal names of the models that they may call."""
    terms: TierTerms
    """Terms of their account."""
    trials: Mapping[str, Trial]
    """Trials that make models free of charge, by internal name."""


class WalkedChild(Struct, frozen=True, kw_only=True):
    """Child that a worker has walked before it begins, as its nodes have no effects."""

    new: NewChild
    """Its statuses are the final ones."""
    rows: bytes
    """Packed `StepRows`, with times relative to the beginning of the walk."""
    result: bytes
    """Packed result."""
    plain: bytes
    """Packed plain result."""
    size: int
    """Bytes of its values."""


class ChildOutcome(Struct, frozen=True, kw_only=True):
    """End of a child as its parent's record has it."""

    index: int
    status: ItemStatus
    packed: bytes | None = None
    """Packed plain result of a completed child."""
    name: str | None = None
    """Name of the parent's object with that result, if it is large."""
    error: Mapping[str, Any] | None = None
    """`code` and `message` of a failed child."""
