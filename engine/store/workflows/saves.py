"""Saves of workflow documents: versions, and the nodes' names beside each."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidGraph, RevisionConflict, VersionConflict, WorkflowNotFound
from engine.graph.document import Document, to_record
from engine.graph.plan import name_nodes
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack, unpacked_size
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.quota import DocumentQuota, exceeded
from engine.store.workflows.summaries import pack_summary
from engine.store.workflows.version_facts import pack_facts
from engine.store.workflows.versions import VERSIONS_KEPT, Versions

LARGE_GRAPH = 200
"""Number of nodes and edges from which their names are computed outside the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSave:
    """Version to save; repeated calls with one operation id save it once."""

    account_id: str
    slug: str
    document: Document
    problems: Sequence[dict[str, str]]
    expected: str
    """Version that must be current: empty for any, 'new' for none."""
    operation: str
    note: str | None = None
    draft_revision: int | None = None
    """The draft that is published, and goes with the save."""


class WorkflowSaves:
    """Writes versions of workflows."""

    def __init__(self, quota: DocumentQuota, versions: Versions) -> None:
        self._quota = quota
        self._versions = versions

    async def write(self, save: WorkflowSave) -> tuple[int, int, int, int]:
        """Save a version and return its number, creation time, update time and size.

        Raises WorkflowNotFound, VersionConflict, RevisionConflict and QuotaExceeded.
        """
        record = pack({"document": to_record(save.document), "problems": list(save.problems)})
        own = await _args(save, record)
        facts = pack_facts(save.note, save.account_id, save.document)
        revision = "" if save.draft_revision is None else save.draft_revision
        summary = pack_summary(save.document)
        keys, args = _keys(save), [*own, VERSIONS_KEPT, facts, revision, summary]
        script = SCRIPTS["save_workflow"]
        reply = await self._quota.call(script, keys, args)
        if reply[:2] == [b"full", b"bytes"] and save.expected != "new":
            await self._versions.make_room(save.account_id, save.slug)
            reply = await self._quota.call(script, keys, args)
        return *_parse(reply), unpacked_size(record)

    async def revise(self, save: WorkflowSave, former: str) -> None:
        """Write the expected version anew, where `former` is the operation of its last save.

        Raises WorkflowNotFound, VersionConflict and QuotaExceeded.
        """
        record = pack({"document": to_record(save.document), "problems": []})
        keys = [
            keyspace.workflow(save.account_id, save.slug),
            keyspace.account_workflows(save.account_id),
            keyspace.stored_documents(save.account_id),
            keyspace.accounts(partition_of(save.account_id)),
            keyspace.workflows_by_time(save.account_id),
        ]
        summary = pack_summary(save.document)
        args = [0, save.operation, save.expected, former, record, save.account_id, save.slug]
        _parse(await self._quota.call(SCRIPTS["revise_version"], keys, [*args, summary]))


def _keys(save: WorkflowSave) -> list[str]:
    partition = partition_of(save.account_id)
    return [
        keyspace.workflow(save.account_id, save.slug),
        keyspace.account_workflows(save.account_id),
        keyspace.workflow_node_names(save.account_id, save.slug),
        keyspace.stored_documents(save.account_id),
        keyspace.workflows_due(partition),
        keyspace.accounts(partition),
        keyspace.workflows_by_time(save.account_id),
    ]


async def _args(save: WorkflowSave, record: bytes) -> list[Any]:
    names = pack(await _names(save))
    digest = hashlib.blake2b(names, digest_size=8).hexdigest()
    reference = keyspace.reference(save.account_id, save.slug)
    return [
        *(0, save.slug, save.operation, save.expected, record, save.account_id, reference),
        *(digest, names),
    ]


async def _names(save: WorkflowSave) -> list[tuple[str, str]]:
    """Return id and type of each node in plan order; none when the document has no plan."""
    nodes, edges = save.document.nodes, save.document.edges
    if save.problems:
        return []
    try:
        if len(nodes) + len(edges) < LARGE_GRAPH:
            names = name_nodes(nodes, edges)
        else:
            names = await asyncio.to_thread(name_nodes, nodes, edges)
    except InvalidGraph:
        return []
    return [(name.id, name.type) for name in names]


def _parse(reply: Sequence[Any]) -> tuple[int, int, int]:
    match reply[0]:
        case b"gone":
            raise WorkflowNotFound
        case b"conflict":
            raise VersionConflict(int(reply[1]))
        case b"moved":
            raise RevisionConflict(int(reply[1]))
        case b"full":
            raise exceeded(reply)
    return int(reply[1]), int(reply[2]), int(reply[3])
