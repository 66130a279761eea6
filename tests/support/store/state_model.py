"""Model of the scripts of a walk in plain Python, for the stateful test."""

from dataclasses import dataclass, field
from typing import Any

RESEND_MS = 5_000
ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass(slots=True)
class Call:
    """Call of a script, with all inputs of its answer."""

    kind: str
    now: int
    execution: str = ""
    worker: str = ""
    token: str = ""
    version: int = 1
    fence: int = 0
    step: int = 0
    settled: dict[int, str] = field(default_factory=dict)
    retrying: dict[int, int] = field(default_factory=dict)
    parked: dict[int, int] = field(default_factory=dict)
    """Nodes that wait, and the times until which they do."""
    claimed: tuple[int, ...] = ()
    leaves: bool = False
    shares_work: bool = False
    end: str = ""
    is_lost: bool = False
    max_active: int | None = None
    key: str = ""
    body: str = ""


@dataclass(slots=True)
class Claim:
    """Claim of a node: owner, calls, time of begin, retry or end of the wait, and lost calls."""

    owner: int
    attempts: int
    at: int
    lost: int


@dataclass(slots=True)
class Record:
    """Expected record of an execution."""

    statuses: list[str]
    created: int
    status: str = "processing"
    fence: int = 0
    shares_work: bool = False
    holders: dict[str, tuple[int, str]] = field(default_factory=dict)
    claims: dict[int, Claim] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)
    conflicted: set[int] = field(default_factory=set)
    """Fences whose last step conflicted."""
    completed: int | None = None
    lost: int = 0
    """Workers that died since the last step."""
    walked: str = ""
    """Token of the walk that ended it without a claim."""
    wait_ms: int = 0
    """Time from the acceptance to the begin of that walk."""


class Model:
    """Executions of one account; `due` and `held` outlive their records on purpose."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.records: dict[str, Record] = {}
        self.due: dict[str, int] = {}
        self.finished: dict[str, int] = {}
        self.first: dict[str, tuple[str, str]] = {}
        """Body and execution of the first call, by idempotency key."""

    @property
    def active(self) -> set[str]:
        """Return the executions that have not ended."""
        return {name for name, record in self.records.items() if record.status not in ENDED}

    def apply(self, call: Call) -> list[Any]:
        """Return the expected answer to this call."""
        answer: list[Any] = getattr(self, "_" + call.kind)(call)
        return answer

    def _accept(self, call: Call) -> list[Any]:
        record = self.records.get(call.execution)
        if record is None:
            if call.key in self.first:
                return ["repeated", *self.first[call.key], ""]
            if call.version != 1:
                return ["stale", "1"]
            if call.max_active is not None and len(self.active) >= call.max_active:
                return ["busy", len(self.active)]
            if call.key:
                self.first[call.key] = (call.body, call.execution)
            record = Record(statuses=["p"] * self.sizes[call.execution], created=call.now)
            self.records[call.execution] = record
            self.due[call.execution] = call.now + RESEND_MS
        return ["ok", record.created, len(self.active)]

    def _claim(self, call: Call) -> list[Any]:
        record = self.records.get(call.execution)
        if record is None or record.status in ENDED:
            self.due.pop(call.execution, None)
            return ["missing"] if record is None else ["ended"]
        mine = record.holders.get(call.worker)
        if mine is not None:
            return ["claimed", str(mine[0])] if mine[1] == call.token else ["busy", record.status]
        is_due = any(
            code in "tw" and record.claims[index].at <= call.now
            for index, code in enumerate(record.statuses)
        )
        if record.holders and not record.shares_work and not is_due:
            return ["busy", record.status]
        record.fence += 1
        record.holders[call.worker] = (record.fence, call.token)
        self.due.pop(call.execution, None)
        return ["claimed", str(record.fence)]

    def _finish_unclaimed(self, call: Call) -> list[Any]:
        record = self.records.get(call.execution)
        if record is not None and record.walked == call.token:
            return [record.wait_ms]
        if record is None or record.status != "processing" or record.fence or call.version != 1:
            return [None]
        record.walked, record.wait_ms = call.token, max(call.now - record.created, 0)
        record.statuses = ["c"] * len(record.statuses)
        self._finish(call.execution, record, "completed", call.now)
        return [record.wait_ms]

    def _advance(self, call: Call) -> list[Any]:
        record = self.records.get(call.execution)
        if record is None:
            return ["fenced"]
        refusal = self._refusal(record, call)
        if refusal:
            return ["fenced"] if refusal == "fenced" else [refusal, record.status]
        self._move_nodes(record, call)
        record.steps[call.fence] = call.step
        record.conflicted.discard(call.fence)
        record.lost = 0
        if call.end:
            self._finish(call.execution, record, call.end, call.now)
        else:
            record.shares_work = call.shares_work and not call.leaves
            if call.leaves:
                self._leave(record, call)
        return ["ok", record.status]

    def _refusal(self, record: Record, call: Call) -> str:
        """Return the refusal of a step, empty for a recorded one."""
        last = record.steps.get(call.fence, 0)
        if last >= call.step:
            is_told_again = last == call.step and call.fence in record.conflicted
            return "conflict" if is_told_again else "ok"
        if record.status in ENDED:
            return "ended"
        if record.holders.get(call.worker) != (call.fence, call.token):
            return "fenced"
        if call.step != last + 1:
            return "behind"
        goes_on = call.claimed or call.retrying or call.parked or call.end in ENDED - {"cancelled"}
        if record.status == "cancel_requested" and goes_on:
            return "cancel"
        if self._conflicts(record, call):
            record.steps[call.fence] = call.step
            record.conflicted.add(call.fence)
            return "conflict"
        return "behind" if self._lacks_nodes(record, call) else ""

    def _lacks_nodes(self, record: Record, call: Call) -> bool:
        open_nodes = {i for i, code in enumerate(record.statuses) if code in "prtw"}
        return call.end == "completed" and bool(open_nodes - set(call.settled))

    def _conflicts(self, record: Record, call: Call) -> bool:
        def is_mine(index: int) -> bool:
            return record.statuses[index] == "r" and record.claims[index].owner == call.fence

        return not (
            all(record.statuses[i] in "ptw" or is_mine(i) for i in call.settled)
            and all(is_mine(i) for i in (*call.retrying, *call.parked))
            and all(record.statuses[i] in "ptw" for i in call.claimed)
        )

    def _move_nodes(self, record: Record, call: Call) -> None:
        for index, code in call.settled.items():
            if record.statuses[index] != "p":
                del record.claims[index]
            record.statuses[index] = code
        for index, delay in call.retrying.items():
            claim = record.claims[index]
            record.claims[index] = Claim(0, claim.attempts, call.now + delay, claim.lost)
            record.statuses[index] = "t"
        for index, until in call.parked.items():
            claim = record.claims[index]
            record.claims[index] = Claim(0, claim.attempts - 1, until, claim.lost)
            record.statuses[index] = "w"
        for index in call.claimed:
            before = record.claims.get(index, Claim(0, 0, 0, 0))
            record.claims[index] = Claim(call.fence, before.attempts + 1, call.now, before.lost)
            record.statuses[index] = "r"

    def _leave(self, record: Record, call: Call) -> None:
        del record.holders[call.worker]
        retries = [
            record.claims[index].at for index, code in enumerate(record.statuses) if code in "tw"
        ]
        if call.shares_work:
            self.due[call.execution] = call.now
        elif record.status == "cancel_requested":
            if not record.holders:
                self.due[call.execution] = call.now
        elif retries:
            self.due[call.execution] = min(retries)
        elif not record.holders:
            self.due[call.execution] = call.now

    def _finish(self, execution: str, record: Record, status: str, now: int) -> None:
        rest = "x" if status == "cancelled" else "s"
        moved = {"p": rest, "r": "x", "t": "x", "w": "x"}
        record.statuses = [moved.get(code, code) for code in record.statuses]
        record.status = status
        record.completed = now
        record.holders = {}
        self.due.pop(execution, None)
        self.finished[execution] = now

    def _give_back(self, call: Call) -> list[Any]:
        record = self.records.get(call.execution)
        if record is None or call.worker not in record.holders or record.status in ENDED:
            return [0]
        fence, _ = record.holders.pop(call.worker)
        for index, code in enumerate(record.statuses):
            claim = record.claims.get(index)
            if code == "r" and claim is not None and claim.owner == fence:
                record.statuses[index] = "p"
                claim.owner = 0
                if call.is_lost:
                    claim.lost += 1
                else:
                    claim.attempts -= 1
        record.shares_work = bool(record.holders)
        record.lost += call.is_lost
        self.due[call.execution] = call.now
        return [1]

    def _cancel(self, call: Call) -> list[Any]:
        record = self.records.get(call.execution)
        if record is None:
            return ["missing"]
        if record.status in ENDED:
            return ["ended", record.status]
        if record.status == "processing":
            if record.holders:
                record.status = "cancel_requested"
                self.due[call.execution] = call.now + 1_000
            else:
                self._finish(call.execution, record, "cancelled", call.now)
        return [record.status]

    def _promote(self, call: Call) -> list[Any]:
        names = sorted((at, name) for name, at in self.due.items() if at <= call.now)
        for _, name in names:
            self.due[name] = call.now + RESEND_MS
        first = str(min(self.due.values())) if self.due else None
        return [first, [name for _, name in names]]
