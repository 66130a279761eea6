"""Waits of nodes in Redis: each change is one script, and the first end of a wait counts."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from engine.executions.node_waits import (
    MAX_CHILD_WAITS,
    MAX_WAITING,
    Answer,
    Answerer,
    AnswererKind,
    NewWait,
    NodeWait,
    WaitKind,
)
from engine.ids.partitions import partition_of
from engine.store.accounts.account_events import KEPT_CHANGES, KEPT_MS
from engine.store.audit import AuditAction, AuditedAct, AuditLog
from engine.store.children.keys import GroupRef, children
from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE, HintSender
from engine.store.dispatch.queue_selector import BULK_FROM
from engine.store.executions.claim import Lease, parse_group_ref
from engine.store.executions.record_fields import make_cursor, split_cursor
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.waits import keys as wait_keys
from engine.store.waits.records import (
    FIRST_CALL,
    HEAD_FIELDS,
    KIND_CODES,
    end_facts,
    end_field,
    pack_answer,
    pack_wait,
    parse_end,
    parse_wait,
    wait_facts,
    wait_field,
    waiting_indexes,
)
from engine.store.waits.telling import TOLD_FIELDS, delivery_of_wait
from engine.store.webhooks.delivery_keys import DeliveryKeys

LINK = "link"
"""Actor in the audit log of a person with an approval link; others act by their account."""
GROUP_FIELDS = ("parent", "parent_node")
"""Fields of a record that name the group of a child, beside its root."""


class WaitOpened(Struct, frozen=True):
    """The wait is on record, opened now or before. Times are in milliseconds."""

    since: int
    until: int


class TooManyWaits(Struct, frozen=True):
    """The account has as many executions that wait as it may."""

    count: int


class ExecutionOver(Struct, frozen=True):
    """The execution, its root or the node has ended: nothing waits."""


class Answered(Struct, frozen=True):
    """The answer counts."""

    answer: Answer
    """With its time."""


class AlreadyAnswered(Struct, frozen=True):
    """Another answer counts."""

    answer: Answer


class NotWaiting(Struct, frozen=True):
    """The node does not wait for an answer: it never did, its time is up, or its run has ended."""


class WaitEnded(Struct, frozen=True):
    """The wait is over, now or before."""

    answer: Answer | None


class StillWaiting(Struct, frozen=True):
    """The time of the wait has not come."""


OpenVerdict = WaitOpened | TooManyWaits | ExecutionOver
AnswerVerdict = Answered | AlreadyAnswered | NotWaiting
EndVerdict = WaitEnded | StillWaiting | ExecutionOver


class WaitRef(Struct, frozen=True):
    """Node of an execution that may wait, and its group if the execution is a child."""

    account_id: str
    execution_id: str
    node_index: int
    group: GroupRef | None = None

    @classmethod
    def of(cls, lease: Lease, node_index: int) -> Self:
        """Return a node of a claimed execution."""
        return cls(lease.account_id, lease.execution_id, node_index, lease.group)

    @property
    def reference(self) -> str:
        """Name of the execution in sets and hints."""
        return keyspace.reference(self.account_id, self.execution_id)

    @property
    def root_id(self) -> str:
        """Root of a child; the execution itself if it is none."""
        return self.execution_id if self.group is None else self.group.root_id


class NodeWaits:
    """Opens, answers, ends and lists waits of nodes."""

    def __init__(self, client: Client, hints: HintSender, audit: AuditLog) -> None:
        self._client = client
        self._hints = hints
        self._audit = audit

    async def open(self, ref: WaitRef, node_id: str, new: NewWait) -> OpenVerdict:
        """Open the wait of a node that runs, once; a second call finds the first wait.

        Raises StoreFull or Unavailable.
        """
        account_id, execution_id = ref.account_id, ref.execution_id
        is_child, root = ref.group is not None, keyspace.execution(account_id, ref.root_id)
        digest, *told = await self._client.send("HMGET", root, FIRST_CALL, *TOLD_FIELDS)
        told_by = delivery_of_wait(account_id, ref.root_id, execution_id, ref.node_index, told)
        reply = await self._client.call(
            SCRIPTS["open_wait"],
            execution=keyspace.execution(account_id, execution_id),
            waits=wait_keys.waits(account_id),
            approvals=wait_keys.approvals(account_id),
            waited=wait_keys.waited(account_id),
            root=root if is_child else None,
            child_waits=wait_keys.child_waits(account_id, ref.root_id) if is_child else None,
            first_call=digest and keyspace.idempotency(account_id, digest.decode()),
            execution_id=execution_id,
            node=ref.node_index,
            kind=KIND_CODES[new.kind],
            duration_ms=new.duration_ms,
            until_ms=new.until,
            most_waiting=MAX_WAITING,
            facts=wait_facts(node_id, new),
            values=pack_wait(new),
            **_telling_names(ref, told_by.keys),
        )
        match reply:
            case [b"ok", since, until]:
                if told_by.reference is not None:
                    self._hints.send_delivery_soon(told_by.reference)
                return WaitOpened(int(since), int(until))
            case [b"too_many", count]:
                return TooManyWaits(int(count))
        return ExecutionOver()

    async def find(self, ref: WaitRef) -> NodeWait | None:
        """Return the wait of a node, open or over; None: there is none while Redis has the run."""
        record = await self._read(ref.account_id, ref.execution_id, [ref.node_index])
        return parse_wait(ref.account_id, ref.execution_id, record, ref.node_index)

    async def of_execution(self, account_id: str, execution_id: str) -> Sequence[NodeWait]:
        """Return all waits of an execution, open or over; none once Redis has forgotten it."""
        key = keyspace.execution(account_id, execution_id)
        fields = [each.decode() for each in await self._client.send("HKEYS", key)]
        indexes = waiting_indexes(fields)
        record = await self._read(account_id, execution_id, indexes) if indexes else {}
        found = (parse_wait(account_id, execution_id, record, index) for index in indexes)
        return [each for each in found if each is not None]

    async def _read(
        self, account_id: str, execution_id: str, indexes: Iterable[int]
    ) -> Mapping[str, bytes]:
        """Return the fields of a record that the waits of these nodes need, and its group."""
        own = [field(index) for index in indexes for field in (wait_field, end_field)]
        names = (*HEAD_FIELDS, *GROUP_FIELDS, *own)
        values = await self._client.send(
            "HMGET", keyspace.execution(account_id, execution_id), *names
        )
        return {name: each for name, each in zip(names, values, strict=True) if each is not None}

    async def answer(self, ref: WaitRef, answer: Answer) -> AnswerVerdict:
        """Answer an approval for a person, whose answer is an entry of the audit log.

        `ref` needs no group. The first answer counts, and its execution goes on. Raises
        Unavailable.
        """
        record = await self._read(ref.account_id, ref.execution_id, [ref.node_index])
        wait = parse_wait(ref.account_id, ref.execution_id, record, ref.node_index)
        if wait is None or wait.kind is not WaitKind.APPROVAL:
            return NotWaiting()
        ref = replace(ref, group=parse_group_ref(ref.account_id, record))
        reply = await self._end(ref, answer, act=_act(wait, answer))
        match reply:
            case [b"ok", at, active]:
                is_bulk = ref.group is not None or int(active) > BULK_FROM
                self._hints.send_soon(ref.reference, BULK_QUEUE if is_bulk else WALK_QUEUE)
                return Answered(replace(answer, at=int(at)))
            case [b"over", end]:
                _, first = parse_end(end)
                return NotWaiting() if first is None else AlreadyAnswered(first)
        return NotWaiting()

    async def end(self, ref: WaitRef, answer: Answer | None = None) -> EndVerdict:
        """End a wait whose time has come, with an answer that stands for that or without one.

        The first end counts, which may be the answer of a person. Raises Unavailable.
        """
        reply = await self._end(ref, answer, is_due=True)
        match reply:
            case [b"ok", at, _]:
                return WaitEnded(None if answer is None else replace(answer, at=int(at)))
            case [b"over", end]:
                return WaitEnded(parse_end(end)[1])
            case [b"early"]:
                return StillWaiting()
        return ExecutionOver()

    def _end(
        self,
        ref: WaitRef,
        answer: Answer | None,
        *,
        is_due: bool = False,
        act: AuditedAct | None = None,
    ) -> "asyncio.Future[Sequence[bytes]]":
        account_id, group, partition = ref.account_id, ref.group, partition_of(ref.account_id)
        return self._client.call(
            SCRIPTS["end_wait"],
            execution=keyspace.execution(account_id, ref.execution_id),
            waits=wait_keys.waits(account_id),
            approvals=wait_keys.approvals(account_id),
            due=keyspace.due(partition),
            active=keyspace.active(account_id),
            audit=keyspace.audit(partition),
            root=group and keyspace.execution(account_id, group.root_id),
            child_waits=group and wait_keys.child_waits(account_id, group.root_id),
            parent=group and keyspace.execution(account_id, group.parent_id),
            group=group and children(account_id, group.parent_id, group.node),
            reference=ref.reference,
            execution_id=ref.execution_id,
            node=ref.node_index,
            is_due="1" if is_due else None,
            facts=end_facts(answer),
            values=pack_answer(answer),
            act=self._audit.arguments(act),
        )

    # -- lists ------------------------------------------------------------------------------------

    async def list_approvals(
        self, account_id: str, *, limit: int, cursor: str | None = None
    ) -> tuple[Sequence[NodeWait], str | None]:
        """Return open approvals, newest first, and the cursor of the next page, None at the end.

        Approvals that have ended while the page was read are left out. Raises InvalidCursor.
        """
        at, name = (None, None) if cursor is None else split_cursor(cursor)
        flat = await self._client.call(
            SCRIPTS["list_executions"],
            listed=wait_keys.approvals(account_id),
            at=at,
            id=name,
            most=limit + 1,
        )
        names = [each.decode() for each in flat[::2]]
        found = await self._find_open(account_id, names[:limit])
        is_last = len(names) <= limit
        return found, None if is_last else make_cursor(int(flat[2 * limit - 1]), names[limit - 1])

    async def of_children(
        self, account_id: str, root_id: str, limit: int = MAX_CHILD_WAITS
    ) -> Sequence[NodeWait]:
        """Return the first open waits of a root's children, in the order of their begin."""
        key = wait_keys.child_waits(account_id, root_id)
        names = await self._client.send("ZRANGE", key, 0, limit - 1)
        return await self._find_open(account_id, [each.decode() for each in names])

    async def _find_open(self, account_id: str, names: Iterable[str]) -> Sequence[NodeWait]:
        pairs = (each.rpartition("/") for each in names)
        refs = [WaitRef(account_id, name, int(index)) for name, _, index in pairs]
        found = await asyncio.gather(*(self.find(each) for each in refs))
        open_ones = [each for each in found if each is not None and each.is_open]
        ended = await self._ended_roots(open_ones)
        return [each for each in open_ones if each.root_id not in ended]

    async def _ended_roots(self, found: Sequence[NodeWait]) -> set[str]:
        """Return the roots that have ended, though the records of their children lag behind."""
        roots = {each.root_id: each for each in found if each.root_id != each.execution_id}
        statuses = await asyncio.gather(
            *(
                self._client.send("HGET", keyspace.execution(each.account_id, root_id), "status")
                for root_id, each in roots.items()
            )
        )
        pairs = zip(roots, statuses, strict=True)
        return {root_id for root_id, status in pairs if status != b"processing"}


def _telling_names(ref: WaitRef, told: DeliveryKeys) -> Mapping[str, Any]:
    """Return the keys and values with which a script tells of a wait."""
    account_id, root_id = ref.account_id, ref.root_id
    return {
        "reference": keyspace.reference(account_id, root_id),
        "events": keyspace.events(account_id, ref.execution_id),
        "root_events": keyspace.events(account_id, root_id) if ref.group is not None else None,
        "changes": keyspace.account_changes(account_id),
        "change_ms": KEPT_MS,
        "most_changes": KEPT_CHANGES,
        "delivery": told.delivery,
        "deliveries_due": told.deliveries_due,
        "webhook_deliveries": told.webhook_deliveries,
        "account_deliveries": told.account_deliveries,
        "run_deliveries": told.run_deliveries,
        "run_webhook": told.run_webhook,
    }


def timeout_answer(wait: NodeWait) -> Answer | None:
    """Return the answer that stands for a time-out; None: there is none, as for a delay."""
    decision = wait.on_timeout.decision if wait.kind is WaitKind.APPROVAL else None
    if decision is None:
        return None
    return Answer(decision=decision, fields={}, note=None, by=Answerer(AnswererKind.TIMEOUT))


def _act(wait: NodeWait, answer: Answer) -> AuditedAct:
    """Return the act for the audit log: it has neither the note nor the values."""
    return AuditedAct(
        by=LINK if answer.by.kind is AnswererKind.LINK else wait.account_id,
        action=AuditAction(f"approval.{answer.decision}"),
        subject=f"{wait.execution_id}/{wait.node_id}",
        after={"kind": answer.by.kind, "id": answer.by.id},
    )
