"""Executions from the side of workers: claim, advance and give back, each one script."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from engine.executions.statuses import ExecutionStatus
from engine.graph.features import UnknownPart
from engine.ids.partitions import partition_of
from engine.store.children.keys import (
    GroupKeys,
    GroupRef,
    children_due,
    open_children,
    parse_woken,
)
from engine.store.dispatch.hints import HintSender
from engine.store.executions.advance import VERDICTS, Advanced, Step, UnclaimedWalk, Unpaid, Verdict
from engine.store.executions.claim import (
    ClaimedExecution,
    Lease,
    account_keys,
    parse_claimed,
    parse_group_ref,
)
from engine.store.executions.ended import Ends
from engine.store.executions.record_fields import UNKNOWN, parse_hash
from engine.store.formats import Format
from engine.store.redis import channels, keyspace
from engine.store.redis.batch_keys import BatchKeys
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases.canary_keys import CanaryKeys
from engine.store.waits import keys as wait_keys
from engine.store.waits.keys import WaitKeys
from engine.store.webhooks.delivery_keys import (
    NO_DELIVERY_KEYS,
    DeliveryKeys,
    delivery_keys,
    node_delivery_id,
)


class _Notified(Struct, frozen=True):
    """Deliveries that a step adds."""

    keys: DeliveryKeys = NO_DELIVERY_KEYS
    node_keys: Sequence[str] = ()
    node_facts: Sequence[bytes] = ()
    references: Sequence[str] = ()


NOBODY = _Notified()
NO_NAMES: Mapping[str, Any] = {}


def _notified(lease: Lease, step: Step) -> _Notified:
    if step.webhook is None or not (step.end or step.node_facts):
        return NOBODY
    account_id, execution_id = lease.account_id, lease.execution_id
    node_ids = [node_delivery_id(execution_id, index) for index in step.node_facts]
    is_told = step.end is not None and step.webhook.asks_for(f"execution.{step.end.value}")
    ids = [*node_ids, execution_id] if is_told else node_ids
    return _Notified(
        keys=delivery_keys(account_id, execution_id, step.webhook),
        node_keys=[keyspace.delivery(account_id, each) for each in node_ids],
        node_facts=list(step.node_facts.values()),
        references=[keyspace.reference(account_id, each) for each in ids],
    )


def _rare_names(lease: Lease, step: Step, digest: bytes | None, tells: str) -> Mapping[str, Any]:
    """Return the names of rare things, such as batches, groups and waits."""
    names = _group_names(lease, step)
    if tells and step.end is not None:
        names = {**names, "tells": tells}
    if step.batch_id and step.end is not None:
        names = {**names, **asdict(BatchKeys.of(lease.account_id, step.batch_id))}
    if step.has_release and step.end is not None:
        keys = asdict(CanaryKeys.of(lease.account_id, step.slug))
        names = {**names, **keys, "is_fault": "1" if step.is_fault else None}
    if digest is None:
        return names
    root_id = lease.execution_id if lease.group is None else lease.group.root_id
    return {**names, **WaitKeys.of(lease.account_id, root_id, digest.decode()).names}


def _group_names(lease: Lease, step: Step) -> Mapping[str, Any]:
    is_end, account_id = step.end is not None, lease.account_id
    if lease.group is not None:
        return GroupKeys.of(lease.group).names | {"child_end": step.child and step.child.packed}
    if not (is_end and step.may_have_groups):
        return NO_NAMES
    return {
        "open_children": open_children(account_id),
        "children_due": children_due(partition_of(account_id)),
    }


class Walks:
    """Transitions of a walk."""

    def __init__(self, client: Client, hints: HintSender, ends: Ends) -> None:
        self._client = client
        self._hints = hints
        self._ends = ends
        self.on_item_end: Callable[[str, str], None] = lambda account_id, batch_id: None
        """Called with account and batch when the execution of an item has ended here."""
        self.on_child_end: Callable[[GroupRef, ExecutionStatus], None] = lambda group, end: None
        """Called with the group and the status when a child has ended here."""

    async def claim(
        self, reference: str, worker_id: str, token: str = ""
    ) -> ClaimedExecution | None:
        """Claim the execution for this worker; None when it cannot be claimed."""
        account_id, execution_id = keyspace.parse_reference(reference)
        token = token or secrets.token_hex(8)
        reply = await self._claim(account_id, execution_id, worker_id, token)
        if reply[0] == b"waiting":
            reply = await self._claim(account_id, execution_id, worker_id, token, only_waits=True)
        match reply:
            case [b"claimed", fence, now, fields]:
                record = parse_hash(fields)
            case [b"busy", b"cancel_requested"]:
                # The message to its holder may have been lost.
                await self._client.send("PUBLISH", channels.cancels(), reference)
                return None
            case _:
                return None
        group = parse_group_ref(account_id, record)
        lease = Lease(account_id, execution_id, worker_id, int(fence), token, group)
        return parse_claimed(lease, int(now), record)

    def _claim(
        self,
        account_id: str,
        execution_id: str,
        worker_id: str,
        token: str,
        *,
        only_waits: bool = False,
    ) -> "asyncio.Future[Sequence[Any]]":
        """Return the answer of the script; `only_waits`: the execution is not an active one."""
        partition = partition_of(account_id)
        return self._client.call(
            SCRIPTS["claim_execution"],
            execution=keyspace.execution(account_id, execution_id),
            due=keyspace.due(partition),
            held=keyspace.held(partition, worker_id),
            active=keyspace.active(account_id) if only_waits else None,
            waiting_items=wait_keys.waiting_items(account_id) if only_waits else None,
            reference=keyspace.reference(account_id, execution_id),
            token=token,
            worker=worker_id,
        )

    def finish(self, reference: str, token: str, finished: UnclaimedWalk) -> "asyncio.Future[Any]":
        """Claim and complete the execution; `take_finished` takes the answer."""
        account_id, execution_id = keyspace.parse_reference(reference)
        partition = partition_of(account_id)
        inline_run = finished.inline_run
        canaries = CanaryKeys.of(account_id, inline_run.slug)
        reply = self._client.call(
            SCRIPTS["finish_execution"],
            execution=keyspace.execution(account_id, execution_id),
            due=keyspace.due(partition),
            finished=keyspace.finished(partition),
            active=keyspace.active(account_id),
            workflow=keyspace.workflow(account_id, inline_run.slug),
            unarchived=keyspace.unarchived(partition),
            canary_counts=canaries.canary_counts,
            open_canaries=canaries.open_canaries,
            canaries_due=canaries.canaries_due,
            reference=reference,
            execution_id=execution_id,
            token=token,
            slug=inline_run.slug,
            version=inline_run.version,
            inputs=inline_run.inputs,
            statuses=finished.codes,
            rows=finished.rows,
            result=finished.result,
            elapsed_ms=finished.elapsed_ms,
            plan=finished.plan,
            format=Format.EXECUTION.known,
            tells=self._ends.wanted_of_completed,
        )
        self._client.flush_if_idle()
        return reply

    def take_finished(self, reference: str, answer: Any) -> int | None:
        """Return the milliseconds from acceptance to begin of a run that its walk has ended.

        None: nothing changed; a claim tells why. Call it once for each walk.
        """
        if isinstance(answer, list):
            answer, facts = answer
            self._ends.tell(*keyspace.parse_reference(reference), facts)
        wait_ms: int | None = answer
        return wait_ms

    def advance(self, lease: Lease, number: int, step: Step) -> Awaitable[Advanced]:
        """Queue a step at once; `number` counts this walk's steps from 1."""
        notified = _notified(lease, step)
        reply = self._advance(lease, number, step, notified)
        return self._read_advanced(reply, notified, lease, number, step)

    def _advance(
        self,
        lease: Lease,
        number: int,
        step: Step,
        notified: _Notified,
        digest: bytes | None = None,
    ) -> "asyncio.Future[Any]":
        """Queue a step; `digest` of the idempotency key, where the script asks for waits' keys."""
        execution_id, keys = lease.execution_id, account_keys(lease.account_id, lease.worker_id)
        return self._client.call(
            SCRIPTS["advance_execution"],
            execution=keys.execution + execution_id,
            due=keys.due,
            held=keys.held,
            finished=keys.finished,
            active=keys.active,
            wallet=keys.wallet,
            ledger=keys.ledger,
            events=keys.events + execution_id,
            progress=keys.progress + execution_id,
            workflow=keys.workflow + step.slug,
            unarchived=keys.unarchived,
            delivery=notified.keys.delivery,
            deliveries_due=notified.keys.deliveries_due,
            webhook_deliveries=notified.keys.webhook_deliveries,
            account_deliveries=notified.keys.account_deliveries,
            run_deliveries=notified.keys.run_deliveries,
            run_webhook=notified.keys.run_webhook,
            **_rare_names(lease, step, digest, self._ends.wanted),
            node_deliveries=notified.node_keys,
            reference=lease.reference,
            execution_id=execution_id,
            claim=lease.name,
            step=number,
            settled=step.settled_text,
            retrying=step.retrying_text,
            claimed=step.claimed_text,
            rows=step.packed_rows,
            outputs=step.packed_outputs,
            has_objects="1" if step.names_objects else "",
            charges=step.charges_text,
            reservations=step.reservations_text,
            leaves="1" if step.leave else "",
            shares_work="1" if step.shares_work else "",
            end_status="" if step.end is None else step.end.value,
            result=step.result,
            error=step.packed_error,
            node_facts=notified.node_facts,
        )

    async def _read_advanced(
        self,
        awaited: Awaitable[Any],
        notified: _Notified,
        lease: Lease,
        number: int,
        step: Step,
    ) -> Advanced:
        """Return the outcome of a step; `notified` are its deliveries when it is recorded."""
        reply = await awaited
        if reply[0] == b"waited":
            reply = await self._advance(lease, number, step, notified, reply[1])
        if isinstance(reply[-1], list):
            self._ends.tell(lease.account_id, lease.execution_id, reply.pop())
        verdict = VERDICTS[reply[0]]
        if verdict is Verdict.OK:
            self._follow_step(notified, lease, step)
        match reply:
            case [_, _, codes, now, node, missing, balance]:
                unpaid = Unpaid(int(node), int(missing), int(balance))
                return Advanced(verdict, codes.decode(), int(now), unpaid)
            case [_, _, codes, now, watched, b"woken"]:
                return Advanced(verdict, codes.decode(), int(now), None, bool(watched), True)
            case [_, _, codes, now, watched, woken]:
                self._send_parent(lease, woken)
                return Advanced(verdict, codes.decode(), int(now), is_watched=bool(watched))
            case [_, _, codes, now, *rest]:
                return Advanced(verdict, codes.decode(), int(now), is_watched=bool(rest))
        return Advanced(verdict)

    def _follow_step(self, notified: _Notified, lease: Lease, step: Step) -> None:
        """Send the hints of deliveries, and tell of the end of an item or a child."""
        for each in notified.references:
            self._hints.send_delivery_soon(each)
        if step.end is not None and step.batch_id:
            self.on_item_end(lease.account_id, step.batch_id)
        if step.end is not None and lease.group is not None:
            self.on_child_end(lease.group, step.end)

    def _send_parent(self, lease: Lease, woken: bytes) -> None:
        """Send the hint of a parent that the end of its child has woken."""
        if lease.group is not None:
            reference, queue = parse_woken(lease.group, woken)
            self._hints.send_soon(reference, queue)

    async def give_back(
        self,
        reference: str,
        worker_id: str,
        *,
        is_lost: bool,
        pause_ms: int = 0,
        claim: bytes = b"",
    ) -> bool:
        """Release the execution from a worker; its running nodes become pending.

        Its next walk is delayed by `pause_ms`, doubled after each further loss without a step in
        between, up to a minute. With `claim`, only while that claim is on record.
        """
        account_id, execution_id = keyspace.parse_reference(reference)
        partition = partition_of(account_id)
        was_held = await self._client.call(
            SCRIPTS["release_execution"],
            execution=keyspace.execution(account_id, execution_id),
            due=keyspace.due(partition),
            held=keyspace.held(partition, worker_id),
            reference=reference,
            is_lost="1" if is_lost else "0",
            pause_ms=pause_ms,
            claim=claim,
        )
        return bool(was_held)

    async def leave_unknown(
        self, lease: Lease, part: UnknownPart, *, wait_ms: int, pause_ms: int
    ) -> bool:
        """Give an execution back to other workers, which may know this part of it.

        It is due again after 1 to 15 seconds, at least `pause_ms`, and when it has waited
        `wait_ms` in all.
        """
        was_held = await self._client.call(
            SCRIPTS["leave_unknown"],
            execution=lease.execution_key,
            due=keyspace.due(partition_of(lease.account_id)),
            held=lease.held_key,
            reference=lease.reference,
            claim=lease.name,
            part=part.name,
            wait_ms=wait_ms,
            pause_ms=pause_ms,
        )
        return bool(was_held)

    async def end_waiting(self, lease: Lease) -> None:
        """Note that a worker knows an execution, which waits for one no more."""
        await self._client.send("HDEL", lease.execution_key, UNKNOWN)

    async def is_cancel_requested(self, reference: str) -> bool:
        """Return whether the execution waits for its walkers to stop."""
        key = keyspace.execution(*keyspace.parse_reference(reference))
        status: bytes | None = await self._client.send("HGET", key, "status")
        return status == b"cancel_requested"

    async def records(self, account_id: str, execution_id: str) -> dict[str, bytes]:
        """Return the record of an execution; empty when it is gone."""
        reply = await self._client.send("HGETALL", keyspace.execution(account_id, execution_id))
        return parse_hash(reply)
