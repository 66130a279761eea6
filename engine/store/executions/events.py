"""Events of watched executions: read by gateways, published by workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import ExecutionNotFound
from engine.executions.events import (
    Entry,
)
from engine.executions.execution import NodeExecution
from engine.executions.node_waits import MAX_CHILD_WAITS
from engine.executions.statuses import (
    NODE_TERMINAL,
    TERMINAL,
    parse_node_status,
    parse_node_statuses,
    parse_status,
)
from engine.store.archive.archive import Archive
from engine.store.archive.ended_executions import EndedRecord
from engine.store.children.keys import GroupRef
from engine.store.executions.claim import Lease
from engine.store.executions.read.event_entries import SETTLED, Fields, parse_entry
from engine.store.executions.read.records import ExecutionRecords
from engine.store.executions.record_fields import (
    WALKED_UNCLAIMED,
    parse_node,
    parse_nodes,
    parse_rows,
)
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.connection import Argument
from engine.store.redis.scripts import SCRIPTS
from engine.store.waits import keys as wait_keys
from engine.store.waits.watched import read_waits

MAX_ENTRIES = 64
"""Most entries of one read."""
MAX_PROGRESS_ENTRIES = 2_000
MAX_PROGRESS_BYTES = 262_144
"""Limit of an execution's texts in bytes; the oldest entries of progress are dropped."""
KEEP_PROGRESS_MS = 3_600_000
"""Time after the last progress; other entries are kept with the execution."""


def initial_watch_fields(channel: str | None) -> dict[str, Argument]:
    """Return the initial fields of an execution that is watched from its beginning."""
    if channel is None:
        return {}
    return {"events": 0, "watchers": f"{channel}," if channel else ""}


def events_topic(execution_id: str) -> str:
    """Return the topic under which watchers of an execution are notified."""
    return f"events:{execution_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Entries in order, with the workflow and models of the execution."""

    entries: Sequence[Entry]
    is_all: bool
    """Whether the execution has ended and no entries follow."""
    is_full: bool = False
    """Whether more entries may be on record: a read returns few of them."""
    last: int = 0
    """Number of the last entry on record."""
    workflow_slug: str = ""
    workflow_version: int = 0
    model_ids: Sequence[str] = ()
    is_child: bool = False
    """Whether a node of another execution began it."""
    walked_inputs: bytes | None = None
    """Packed inputs of a run that was walked before its claim: outputs are not on record."""


NOTHING_MORE = EventPage(entries=(), is_all=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressUpdate:
    """Update from a call of a running node: text after `offset` characters, or progress."""

    index: int
    item: int
    offset: int | None
    """None for progress."""
    content: str


class ExecutionEvents:
    """Reads and publishes events of executions."""

    def __init__(self, client: Client, archive: Archive) -> None:
        self._client = client
        self._records = ExecutionRecords(client, archive)

    async def read(
        self, account_id: str, execution_id: str, first: int, channel: str = ""
    ) -> EventPage:
        """Return entries from a number on, and watch the execution at the channel.

        Raises ExecutionNotFound.
        """
        reply = await self._watch(account_id, execution_id, first, channel)
        if reply[0] == b"missing":
            return await self._read_forgotten(account_id, execution_id, first)
        status, entries, slug, version, models, last, parent = reply
        numbered = [(int(name.partition(b"-")[0]), _fields(words)) for name, words in entries]
        wanted = [pair for pair in numbered if pair[0] >= first]
        nodes, walked_inputs = await self._nodes(
            account_id, execution_id, [fields for _, fields in wanted]
        )
        waits = await read_waits(self._records, account_id, execution_id, dict(wanted))
        has_ended = parse_status(status.decode()) in TERMINAL
        return EventPage(
            entries=[parse_entry(number, fields, nodes, waits) for number, fields in wanted],
            is_all=has_ended and len(numbered) < MAX_ENTRIES,
            is_full=len(numbered) >= MAX_ENTRIES,
            last=int(last),
            workflow_slug=(slug or b"").decode(),
            workflow_version=int(version or 0),
            model_ids=models.decode().split(",") if models else (),
            is_child=bool(parent),
            walked_inputs=walked_inputs,
        )

    async def _watch(
        self, account_id: str, execution_id: str, first: int, channel: str
    ) -> Sequence[Any]:
        """Return the reply of the script, which is given the children that wait when it asks."""
        child_waits = wait_keys.child_waits(account_id, execution_id)
        ids: Sequence[str] = ()
        while True:
            reply: Sequence[Any] = await self._client.call(
                SCRIPTS["watch_execution"],
                execution=keyspace.execution(account_id, execution_id),
                events=keyspace.events(account_id, execution_id),
                progress=keyspace.progress(account_id, execution_id),
                child_waits=child_waits,
                children=[keyspace.execution(account_id, each) for each in ids],
                channel=channel,
                first=first,
                most=MAX_ENTRIES,
                most_waits=MAX_CHILD_WAITS,
                ids=ids,
            )
            if reply[0] != b"children":
                return reply
            names = await self._client.send("ZRANGE", child_waits, 0, MAX_CHILD_WAITS - 1)
            ids = sorted({name.decode().rpartition("/")[0] for name in names})

    async def _read_forgotten(self, account_id: str, execution_id: str, first: int) -> EventPage:
        """Return the page of an execution that only the history has. Raises ExecutionNotFound."""
        ended = await self._records.forgotten(account_id, execution_id)
        if ended is None or ended.fields.keys() >= {"parent", "owner"}:
            raise ExecutionNotFound
        entries, record = archived_entries(ended), ended.fields
        wanted = [pair for pair in entries if pair[0] >= first][:MAX_ENTRIES]
        nodes = _without_outputs(dict(enumerate(parse_nodes(record))), record)
        waits = await read_waits(self._records, account_id, execution_id, dict(wanted))
        models = record.get("models", b"").decode()
        return EventPage(
            entries=[parse_entry(number, fields, nodes, waits) for number, fields in wanted],
            is_all=len(wanted) < MAX_ENTRIES,
            is_full=len(wanted) >= MAX_ENTRIES,
            last=entries[-1][0] if entries else 0,
            workflow_slug=record.get("slug", b"").decode(),
            workflow_version=int(record.get("version") or 0),
            model_ids=models.split(",") if models else (),
            is_child="parent" in record,
            walked_inputs=record.get("inputs") if WALKED_UNCLAIMED in record else None,
        )

    async def publish(self, lease: Lease, batch: int, updates: Sequence[ProgressUpdate]) -> bool:
        """Publish updates of running nodes; False without a watcher or the lease.

        `batch` counts the batches of one claim from 1. Raises StoreFull or Unavailable.
        """
        verdict = await self._client.call(
            SCRIPTS["publish_progress"],
            execution=lease.execution_key,
            held=lease.held_key,
            progress=keyspace.progress(lease.account_id, lease.execution_id),
            reference=lease.reference,
            claim=lease.name,
            batch=batch,
            execution_id=lease.execution_id,
            most=MAX_PROGRESS_ENTRIES,
            most_bytes=MAX_PROGRESS_BYTES,
            keep_ms=KEEP_PROGRESS_MS,
            updates=[
                word
                for each in updates
                for word in (
                    *(each.index, each.item),
                    "" if each.offset is None else each.offset,
                    each.content,
                )
            ],
        )
        return bool(verdict == b"ok")

    async def is_watched(self, group: GroupRef) -> bool:
        """Return whether somebody watches the parent of a group. Raises Unavailable."""
        parent = keyspace.execution(group.account_id, group.parent_id)
        return bool(await self._client.send("HEXISTS", parent, "events"))

    async def relay(
        self, lease: Lease, group: GroupRef, batch: int, updates: Sequence[ProgressUpdate]
    ) -> bool:
        """Publish text of a child as that of the node which waits for its group.

        Return False without a watcher, the lease or such a node. `batch` counts the batches of one
        claim from 1. Raises StoreFull or Unavailable.
        """
        account_id, parent_id = group.account_id, group.parent_id
        verdict = await self._client.call(
            SCRIPTS["relay_progress"],
            execution=lease.execution_key,
            held=lease.held_key,
            parent=keyspace.execution(account_id, parent_id),
            events=keyspace.events(account_id, parent_id),
            progress=keyspace.progress(account_id, parent_id),
            reference=lease.reference,
            claim=lease.name,
            batch=batch,
            parent_id=parent_id,
            node=group.node,
            most=MAX_PROGRESS_ENTRIES,
            most_bytes=MAX_PROGRESS_BYTES,
            keep_ms=KEEP_PROGRESS_MS,
            updates=[
                word
                for each in updates
                if each.offset is not None
                for word in (each.offset, each.content)
            ],
        )
        return bool(verdict == b"ok")

    async def _nodes(
        self, account_id: str, execution_id: str, entries: Sequence[Fields]
    ) -> tuple[Mapping[int, NodeExecution], bytes | None]:
        """Return the recorded nodes that entries refer to as settled, and `walked_inputs`.

        The record of a settled node never changes, but for outputs that the end may remove. Where
        the workflow records none, nodes have none while the execution runs either. Redis may have
        forgotten the record since it gave the entries.
        """
        if any(_includes_settled_nodes(fields) for fields in entries):
            record = await self._records.all_fields(account_id, execution_id)
            if not record:
                return {}, None
            nodes = dict(enumerate(parse_nodes(record)))
            inputs = record.get("inputs") if WALKED_UNCLAIMED in record else None
            return _without_outputs(nodes, record), inputs
        rows_names = [
            fields["rows"] for fields in entries if fields.get("settled") and "rows" in fields
        ]
        if not rows_names:
            return {}, None
        names = [*rows_names, *(f"o{name[1:]}" for name in rows_names), "values"]
        _, *values = await self._records.fields(account_id, execution_id, "status", *names)
        record = {name: each for name, each in zip(names, values, strict=True) if each}
        rows = parse_rows(record)
        codes = {
            int(index): code
            for fields in entries
            for index, code, _ in SETTLED.findall(fields.get("settled", ""))
        }
        nodes = {
            index: parse_node(index, parse_node_status(codes[index]), row)
            for index, row in rows.items()
            if index in codes
        }
        return _without_outputs(nodes, record), None


def archived_entries(ended: EndedRecord) -> Sequence[tuple[int, Fields]]:
    """Return the numbered entries of an ended execution as `watch_execution` returns them."""
    status, statuses = (ended.fields[name].decode() for name in ("status", "statuses"))
    if "owner" in ended.fields:
        return [(1, {"begun": "", "claims": ""}), (2, {"ended": status, "left": ""})]
    if "events" in ended.fields:
        return [(int(name.partition(b"-")[0]), _fields(words)) for name, words in ended.events]
    begun = {"begun": statuses, "claims": ""}
    return [(1, begun), (2, {"ended": status, "left": ""})]


def _without_outputs(
    nodes: Mapping[int, NodeExecution], record: Mapping[str, bytes]
) -> Mapping[int, NodeExecution]:
    """Return nodes as events show them: without outputs where the workflow records none."""
    if record.get("values") != b"none":
        return nodes
    return {index: replace(node, outputs=None) for index, node in nodes.items()}


def _includes_settled_nodes(fields: Fields) -> bool:
    """Return whether an entry of all nodes includes settled ones."""
    begun, left = (set(parse_node_statuses(fields.get(name, ""))) for name in ("begun", "left"))
    return not begun.isdisjoint(NODE_TERMINAL) or bool(left - NODE_TERMINAL)


def _fields(words: Sequence[bytes]) -> Fields:
    text = [word.decode(errors="replace") for word in words]
    return dict(zip(text[::2], text[1::2], strict=True))
