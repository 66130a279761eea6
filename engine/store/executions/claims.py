"""Claims: what a worker holds of executions, and what of their nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.store.executions.records import parse_name
from engine.store.redis import keyspace


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's claim on an execution; whatever it records is only taken while this one counts."""

    account_id: str
    execution_id: str
    worker_id: str
    fence: int
    """The number of the claim, from 1."""
    token: str
    """Tells it from another claim that got the same number because Redis had lost this one."""

    @property
    def name(self) -> str:
        """How scripts name the claim."""
        return f"{self.fence}:{self.token}"

    @property
    def object_prefix(self) -> str:
        """How names of objects begin that are written under this claim."""
        return f"{self.fence}-{self.token}"

    @property
    def reference(self) -> str:
        """How sets and hints name the execution."""
        return keyspace.reference(self.account_id, self.execution_id)

    @property
    def keys(self) -> tuple[str, str]:
        """The keys of the execution and of what the worker holds."""
        partition = partition_of(self.account_id)
        return (
            keyspace.execution(self.account_id, self.execution_id),
            keyspace.held(partition, self.worker_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedExecution:
    """An execution that this worker holds, with everything on record. `now` is in milliseconds."""

    lease: Lease
    now: int
    slug: str
    version: int
    inputs: Mapping[str, Any]
    """Empty where they are kept aside, until they are read."""
    status: ExecutionStatus
    statuses: Sequence[NodeStatus]
    record: Mapping[str, bytes]

    @property
    def account_id(self) -> str:
        """Whose execution it is."""
        return self.lease.account_id

    @property
    def execution_id(self) -> str:
        """Which execution it is."""
        return self.lease.execution_id

    @property
    def fence(self) -> int:
        """The number of the claim, from 1."""
        return self.lease.fence

    @property
    def reference(self) -> str:
        """How sets and hints name the execution."""
        return self.lease.reference

    @property
    def lost(self) -> int:
        """Workers that died while they held it, since the last step on record."""
        return int(self.record.get("lost", 0))

    @property
    def inputs_name(self) -> str | None:
        """The name under which the inputs are kept aside; None: they are on record."""
        return parse_name(self.record.get("inputs"))

    @property
    def depth(self) -> int:
        """Depth of the run: 1, or one more than that of the run whose node began it."""
        return int(self.record.get("depth", 1))

    @property
    def model_ids(self) -> Sequence[str]:
        """Internal names of the models in it."""
        models = self.record.get("models", b"").decode()
        return models.split(",") if models else ()

    @property
    def webhook_key_id(self) -> str:
        """The key whose webhook is told of the end; empty for none."""
        return self.record["key"].decode() if "hook" in self.record else ""


def parse_claims(record: Mapping[str, bytes]) -> dict[int, "NodeClaim"]:
    """The claims on record of nodes that run, wait for a retry or were given back, by index."""
    found = {}
    for name, value in record.items():
        if name[0] == "n" and name[1:].isdigit():
            fence, attempts, at, lost = (int(part) for part in value.split(b":"))
            found[int(name[1:])] = NodeClaim(fence, attempts, at, lost)
    return found


@dataclass(frozen=True, slots=True)
class NodeClaim:
    """Who runs a node (0: nobody), calls so far, when it began or is due (ms), and calls lost."""

    fence: int
    attempts: int
    at: int
    lost: int
