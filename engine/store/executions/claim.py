"""Claims of workers on executions and their nodes."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct

from engine.executions.replays import ReplayCalls
from engine.executions.statuses import (
    ExecutionStatus,
    NodeStatus,
    parse_node_statuses,
    parse_status,
)
from engine.graph.body_paths import parse_path
from engine.ids.partitions import partition_of
from engine.store.children.keys import GroupRef
from engine.store.executions.record_fields import (
    BOOK,
    CALLS,
    SEEDED,
    UNKNOWN,
    NodeClaim,
    parse_name,
)
from engine.store.formats import Format
from engine.store.redis import keyspace
from engine.store.redis.record_packing import unpack
from engine.store.webhooks.delivery_keys import WebhookOwner
from engine.telemetry.traces.context import TraceContext, execution_context

FIRST_WALK = frozenset(
    {
        *(
            "batch",
            "body",
            BOOK,
            CALLS,
            "child",
            "created",
            "depth",
            "draft_of",
            "events",
            "format",
            "has_objects",
            "holders",
            "key",
            "lost",
            "markup",
            "models",
            "release",
        ),
        *("must_cancel", "origin", "owner", "parent", "parent_node", "plan", "root", "root_bytes"),
        *("started", "trace", "tried", "values"),
        *("webhook_url", "webhook_events", "webhook_owner", "woken"),
    }
)
"""Fields of the record that the first walk of an execution reads after its claim."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Lease of an execution; the store accepts a worker's steps only under the current one."""

    account_id: str
    execution_id: str
    worker_id: str
    fence: int
    """Number of the claim, from 1."""
    token: str
    """Distinguishes the claim from another with its number, after Redis has lost one."""
    group: GroupRef | None = None
    """Group of a child; None: the execution is none."""

    @property
    def name(self) -> str:
        """Name of the claim in scripts."""
        return f"{self.fence}:{self.token}"

    @property
    def object_prefix(self) -> str:
        """Prefix of the names of objects written under this claim."""
        return f"{self.fence}-{self.token}"

    @property
    def reference(self) -> str:
        """Name of the execution in sets and hints."""
        return keyspace.reference(self.account_id, self.execution_id)

    @property
    def execution_key(self) -> str:
        """Key of the execution's record."""
        return keyspace.execution(self.account_id, self.execution_id)

    @property
    def held_key(self) -> str:
        """Key of the worker's executions."""
        return keyspace.held(partition_of(self.account_id), self.worker_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedExecution:
    """Claimed execution with its whole record. `now` is in milliseconds."""

    lease: Lease
    now: int
    slug: str
    version: int
    inputs: Mapping[str, Any]
    """Empty for offloaded inputs until they are read."""
    status: ExecutionStatus
    statuses: Sequence[NodeStatus]
    record: Mapping[str, bytes]

    def without_unread_fields(self) -> "ClaimedExecution":
        """Return the claim without the fields of the record that its walk does not read.

        The first walk of an execution begins with its inputs alone, and may wait for long.
        """
        if self.fence > 1 or self.is_seeded or self.is_draft or "retry_of" in self.record:
            return self
        kept = FIRST_WALK if self.inputs_name is None else FIRST_WALK | {"inputs"}
        record = {name: value for name, value in self.record.items() if name in kept}
        return replace(self, record=record)

    @property
    def account_id(self) -> str:
        """Account of the execution."""
        return self.lease.account_id

    @property
    def owner_id(self) -> str:
        """Account of the workflow: the execution's, or another for a public workflow."""
        return self.record["owner"].decode() if "owner" in self.record else self.account_id

    @property
    def execution_id(self) -> str:
        """Id of the execution."""
        return self.lease.execution_id

    @property
    def fence(self) -> int:
        """Number of the claim, from 1."""
        return self.lease.fence

    @property
    def reference(self) -> str:
        """Name of the execution in sets and hints."""
        return self.lease.reference

    @property
    def trace(self) -> TraceContext | None:
        """Span of the execution; None: it belongs to no trace."""
        return execution_context(self.record.get("trace", b"").decode(), self.execution_id)

    @property
    def created_at(self) -> int:
        """Time of the acceptance in milliseconds."""
        return int(self.record["created"])

    @property
    def batch_id(self) -> str:
        """Batch of which the execution is an item; empty for none."""
        return self.record["batch"].decode() if "batch" in self.record else ""

    @property
    def group(self) -> GroupRef | None:
        """Group of which the execution is a child; None: it is none."""
        return self.lease.group

    @property
    def child_index(self) -> int:
        """Index of a child in its group."""
        return int(self.record.get("child", 0))

    @property
    def root_id(self) -> str:
        """Root of a child; the execution itself if it is none."""
        return self.execution_id if self.group is None else self.group.root_id

    @property
    def body(self) -> tuple[str, ...]:
        """Ids of the outer nodes down to the one whose body it runs; empty: a whole workflow."""
        return parse_path(self.record.get("body"))

    @property
    def draft_of(self) -> str:
        """Execution whose record has the draft of which it runs a body; empty: none."""
        return self.record.get("draft_of", b"").decode()

    @property
    def bytes_of_others(self) -> int:
        """Bytes of the run's values besides its own: of a root's children, and for a child of
        those of its root that had ended when it began.
        """
        return int(self.record.get("root_bytes", 0)) + int(self.record.get("child_bytes", 0))

    @property
    def lost(self) -> int:
        """Workers that died with this execution since its last recorded step."""
        return int(self.record.get("lost", 0))

    @property
    def unknown_since(self) -> int | None:
        """Time since when it waits for a worker that knows it; None: it does not."""
        unknown = self.record.get(UNKNOWN)
        return None if unknown is None else int(unknown.partition(b":")[0])

    @property
    def inputs_name(self) -> str | None:
        """Object name of offloaded inputs; None: they are on record."""
        return parse_name(self.record.get("inputs"))

    @property
    def is_draft(self) -> bool:
        """Whether it runs a draft, whose graph is on record."""
        return "draft" in self.record

    @property
    def is_seeded(self) -> bool:
        """Whether nodes were settled from the start."""
        return SEEDED in self.record

    @property
    def calls(self) -> ReplayCalls | None:
        """Kind of its calls as an execution of a replay; None: it is none."""
        calls = self.record.get(CALLS)
        return None if calls is None else ReplayCalls(calls.decode())

    @property
    def plan_digest(self) -> str:
        """Digest of the plan that it was accepted with; empty on records of release 0.1.0."""
        return self.record.get("plan", b"").decode()

    @property
    def call_prefix(self) -> str:
        """Beginning of the keys of calls to providers: equal for an execution and its retries."""
        return self.record.get("origin", self.execution_id.encode()).decode()

    @property
    def depth(self) -> int:
        """Depth of the run: 1, or one more than that of the run whose node began it."""
        return int(self.record.get("depth", 1))

    @property
    def keeps_outputs_apart(self) -> bool:
        """Whether the end of the execution may remove its values."""
        return "values" in self.record

    @property
    def model_ids(self) -> Sequence[str]:
        """Internal names of the execution's models."""
        models = self.record.get("models", b"").decode()
        return models.split(",") if models else ()

    @property
    def key_id(self) -> str:
        """API key of the caller; empty for a session."""
        return self.record["key"].decode()

    @property
    def webhook(self) -> WebhookOwner | None:
        """Owner of the webhook that is told of the execution; None: none is."""
        record = self.record
        if "webhook_url" not in record:
            return None
        return WebhookOwner.of_record(
            record["key"], record.get("webhook_events"), record.get("webhook_owner")
        )


def parse_claimed(lease: Lease, now: int, record: Mapping[str, bytes]) -> ClaimedExecution:
    """Return a claimed execution. One with a record of a later format has no inputs and nodes."""
    inputs = record.get("inputs", b"")
    is_known = Format.EXECUTION.knows(record)
    return ClaimedExecution(
        lease=lease,
        now=now,
        slug=record["slug"].decode(),
        version=int(record["version"] or 0),
        inputs=unpack(inputs) if is_known and parse_name(inputs) is None else {},
        status=parse_status(record["status"].decode()),
        statuses=parse_node_statuses(record["statuses"].decode()) if is_known else (),
        record=record,
    )


def parse_group_ref(account_id: str, record: Mapping[str, bytes]) -> GroupRef | None:
    """Return the group of a child by its record; None for an execution that is none."""
    if "parent" not in record:
        return None
    parent_id, root_id = record["parent"].decode(), record["root"].decode()
    return GroupRef(account_id, parent_id, int(record["parent_node"]), root_id)


def parse_claims(record: Mapping[str, bytes]) -> dict[int, NodeClaim]:
    """Return the recorded claims of running, retrying, waiting and given-back nodes, by index."""
    claims = {}
    for name, value in record.items():
        if name[0] == "n" and name[1:].isdigit():
            claims[int(name[1:])] = NodeClaim.parse(value)
    return claims


class WalkKeys(Struct, frozen=True):
    """Keys of a step; those of executions and workflows lack the name at their end."""

    execution: str
    events: str
    progress: str
    workflow: str
    due: str
    held: str
    finished: str
    active: str
    wallet: str
    ledger: str
    unarchived: str


@functools.lru_cache(keyspace.KNOWN_ACCOUNTS)
def account_keys(account_id: str, worker_id: str) -> WalkKeys:
    """Return the keys of the steps of a worker for an account."""
    partition = partition_of(account_id)
    return WalkKeys(
        execution=keyspace.execution(account_id, ""),
        events=keyspace.events(account_id, ""),
        progress=keyspace.progress(account_id, ""),
        workflow=keyspace.workflow(account_id, ""),
        due=keyspace.due(partition),
        held=keyspace.held(partition, worker_id),
        finished=keyspace.finished(partition),
        active=keyspace.active(account_id),
        wallet=keyspace.wallet(account_id),
        ledger=keyspace.ledger(account_id),
        unarchived=keyspace.unarchived(partition),
    )
