"""Messages of an advance: steps of a walk, one by one or all at once, and their outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import Struct

from engine.executions.rows import FailedAttemptRow, NodeRow, StepRows, pack_rows, split_outputs
from engine.executions.statuses import ExecutionStatus, NodeStatus, parse_node_statuses
from engine.releases.verdict import is_fault
from engine.store.dispatch.hints import InlineRun
from engine.store.redis.record_packing import pack
from engine.store.webhooks.delivery_keys import WebhookOwner


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge of a completed node; `trial` is the model whose trial it used, or empty."""

    credits: int
    micro_usd: int
    trial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEnd:
    """End of a child for its parent."""

    result: bytes = b""
    """Packed plain result of a completed child, or the name of an object of its parent."""
    size: int = 0
    """Bytes of its values, which count for its root."""
    ends_root: bool = False
    """Whether its failure ends the root whatever the settings of nodes say."""

    @property
    def packed(self) -> bytes:
        """The end as the script reads it."""
        return b"%d:%d:" % (self.size, self.ends_root) + self.result


@dataclass(slots=True, kw_only=True)
class Step:
    """Changes of a walker since its last call, recorded atomically."""

    settled: list[tuple[int, NodeStatus]] = field(default_factory=list)
    """Node index and final status."""
    retrying: list[tuple[int, int]] = field(default_factory=list)
    """Node index and milliseconds until the next attempt."""
    parked: Sequence[tuple[int, int]] = ()
    """Index of a node that waits without a worker, and the latest time until which it does."""
    claimed: Sequence[int] = ()
    reservations: Mapping[int, int] = field(default_factory=dict)
    """Credits to reserve for each claimed node, by node index."""
    charges: dict[int, Charge] = field(default_factory=dict)
    """Charges of nodes settled in this step, by node index."""
    rows: list[NodeRow] = field(default_factory=list)
    failed_attempts: list[FailedAttemptRow] = field(default_factory=list)
    keeps_outputs_apart: bool = False
    """Whether outputs have a field of their own, which the end may remove."""
    names_objects: bool = False
    """Whether the step names offloaded objects, to be removed with the execution."""
    leave: bool = False
    shares_work: bool = False
    """Whether other workers may take ready nodes: beside this one, or at once when it leaves."""
    end: ExecutionStatus | None = None
    result: bytes = b""
    """Packed result, or the name of an offloaded one."""
    error: dict[str, Any] | None = None
    webhook: WebhookOwner | None = None
    """Webhook that is told of the execution; None: none is."""
    node_facts: dict[int, bytes] = field(default_factory=dict)
    """JSON about settled nodes, by index, for a webhook that asks for them."""
    batch_id: str = ""
    """Batch whose item ends; empty for none."""
    slug: str = ""
    """Workflow whose run ends; empty for the run of a model."""
    has_release: bool = False
    """Whether the run that ends counts for a canary."""
    child: ChildEnd | None = None
    """End of a child that ends with the step."""
    may_have_groups: bool = False
    """Whether nodes of an execution that ends may have children, which are cancelled then."""

    @property
    def settled_text(self) -> str:
        """Settled nodes as the script reads them; the following ones likewise."""
        return "".join([f"{index}{status.code}" for index, status in self.settled])

    @property
    def retrying_text(self) -> str:
        """Nodes that retry and nodes that wait."""
        text = ",".join([f"{index}={delay}" for index, delay in self.retrying])
        if not self.parked:
            return text
        parked = ",".join([f"{index}=w{until}" for index, until in self.parked])
        return f"{text},{parked}" if text else parked

    @property
    def claimed_text(self) -> str:
        """Claimed nodes."""
        return ",".join([str(index) for index in self.claimed])

    @property
    def charges_text(self) -> str:
        """Charges of settled nodes."""
        charges = self.charges.items()
        return ",".join([f"{i}={c.credits}:{c.micro_usd}:{c.trial}" for i, c in charges])

    @property
    def reservations_text(self) -> str:
        """Reservations for claimed nodes."""
        return ",".join([f"{index}={credits}" for index, credits in self.reservations.items()])

    @property
    def packed_rows(self) -> bytes:
        """Rows of nodes and of failed attempts, empty without any."""
        if not self.rows and not self.failed_attempts:
            return b""
        rows = split_outputs(self.rows)[0] if self.keeps_outputs_apart else self.rows
        return pack_rows(StepRows(rows, self.failed_attempts))

    @property
    def packed_outputs(self) -> bytes:
        """Outputs that the rows lack, empty without any."""
        outputs = split_outputs(self.rows)[1] if self.keeps_outputs_apart else {}
        return pack(outputs) if outputs else b""

    @property
    def is_fault(self) -> bool:
        """Whether the run ends with a failure that counts for a canary."""
        return self.end is ExecutionStatus.FAILED and is_fault(self.error)

    @property
    def packed_error(self) -> bytes:
        """Error of the end, empty for none."""
        return b"" if self.error is None else pack(self.error)


@dataclass(slots=True, kw_only=True)
class UnclaimedWalk:
    """Walk that ended before the execution was claimed."""

    inline_run: InlineRun
    """The walked run."""
    codes: str
    """Codes of the final statuses of all nodes."""
    rows: bytes
    """Packed `StepRows`, with times relative to the beginning of the walk."""
    result: bytes
    """Packed result, small enough for the record."""
    elapsed_ms: int
    plan: str
    """Digest of the walked plan."""


class Verdict(StrEnum):
    """Outcome of an advance."""

    OK = "ok"
    CANCEL = "cancel"
    """Nothing was recorded: the execution must be cancelled."""
    CONFLICT = "conflict"
    """Only the number was recorded: another walker has moved some of these nodes."""
    BEHIND = "behind"
    """Nothing was recorded: Redis has lost earlier steps that this one requires."""
    OVER = "over"
    """Nothing was recorded: a claimed node would exceed the run's cap of credits."""
    INSUFFICIENT = "insufficient"
    """Nothing was recorded: the account cannot pay for a claimed node."""
    CLOSED = "closed"
    """Nothing was recorded: charged nodes of a child have completed after the end of its root."""
    ARMED = "armed"
    """Nothing was recorded: the end is delivered, which the worker's claim did not say."""
    ENDED = "ended"
    FENCED = "fenced"
    """Nothing was recorded: this worker has lost the execution."""


VERDICTS = {verdict.value.encode(): verdict for verdict in Verdict}


class Advanced(Struct, frozen=True):
    """Verdict with the codes of the current node statuses. `now` is in milliseconds.

    The codes are empty for a repeated step: the record may be further than the step.
    """

    verdict: Verdict
    codes: str = ""
    now: int = 0
    unpaid: "Unpaid | None" = None
    """With OVER and INSUFFICIENT."""
    is_watched: bool = False
    """With OK: the execution is watched."""
    is_woken: bool = False
    """With OK: the wait of a node that was to wait is over; it is due now."""

    def parse_statuses(self) -> Sequence[NodeStatus]:
        """Return the node statuses; only walks with other walkers need them."""
        return parse_node_statuses(self.codes)


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Node that cannot be paid for, its missing credits, and the balance."""

    index: int
    missing: int
    balance: int
