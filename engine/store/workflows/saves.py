"""Saves of workflow documents: versions, and the nodes' names beside each."""

import asyncio
import hashlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from engine.errors import (
    InvalidBody,
    InvalidGraph,
    RevisionConflict,
    VersionConflict,
    WorkflowNotFound,
)
from engine.graph.document import Document, to_record
from engine.graph.features import needs_of
from engine.graph.plan import NodeName, name_nodes, pack_names
from engine.ids.partitions import partition_of
from engine.releases.aliases import Aliases, Canary, encode_canary
from engine.store.formats import Format
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpacked_size
from engine.store.redis.scripts import SCRIPTS
from engine.store.releases.keys import alias_history
from engine.store.triggers import keys as trigger_keys
from engine.store.workflows.callers import join_calls
from engine.store.workflows.quota import quota_exceeded
from engine.store.workflows.summaries import pack_summary
from engine.store.workflows.version_facts import pack_facts
from engine.store.workflows.versions import VERSIONS_KEPT, Versions

UNPUBLISHED = "There is no live version yet that a canary could stand beside"
LARGE_GRAPH = 200
"""Number of nodes and edges from which their names are computed outside the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSave:
    """Version to save; repeated calls with one operation id save it once."""

    account_id: str
    slug: str
    document: Document
    problems: Sequence[dict[str, Any]]
    expected: str
    """Version that must be current: empty for any, 'new' for none."""
    operation: str
    note: str | None = None
    draft_revision: int | None = None
    """The draft that is published, and goes with the save."""
    canary: Canary | None = None
    """Rule of the canary of the live version that the version becomes; None: it becomes live."""


class WrittenVersion(Struct, frozen=True):
    """Version as a save has written it. Times are milliseconds since the epoch."""

    version: int
    created_at: int
    updated_at: int
    aliases: Aliases
    size: int
    """Estimated size in memory in bytes."""


class WorkflowSaves:
    """Writes versions of workflows, within the limits of `document_limits`."""

    def __init__(self, client: Client, limits: Sequence[str], versions: Versions) -> None:
        self._client = client
        self._limits = limits
        self._versions = versions

    async def write(self, save: WorkflowSave) -> WrittenVersion:
        """Save a version.

        Raises WorkflowNotFound, VersionConflict, RevisionConflict, QuotaExceeded, and InvalidBody
        for a canary of a workflow without a live version.
        """
        record = pack_version(save)
        names = pack_names(await _names(save))
        reply = await self._write(save, record, names)
        if reply[:2] == [b"full", b"bytes"] and save.expected != "new":
            await self._versions.make_room(save.account_id, save.slug)
            reply = await self._write(save, record, names)
        version, created, updated = _parse(reply)
        return WrittenVersion(
            version, created, updated, Aliases.parse(*reply[4:]), unpacked_size(record)
        )

    def _write(self, save: WorkflowSave, record: bytes, names: bytes) -> Awaitable[Any]:
        partition = partition_of(save.account_id)
        return self._client.call(
            SCRIPTS["save_workflow"],
            workflow=keyspace.workflow(save.account_id, save.slug),
            account_workflows=keyspace.account_workflows(save.account_id),
            node_names=keyspace.workflow_node_names(save.account_id, save.slug),
            documents=keyspace.stored_documents(save.account_id),
            workflows_due=keyspace.workflows_due(partition),
            accounts=keyspace.accounts(partition),
            workflows_by_time=keyspace.workflows_by_time(save.account_id),
            callers=keyspace.workflow_callers(save.account_id),
            triggers=trigger_keys.triggers(save.account_id),
            alias_history=alias_history(save.account_id, save.slug),
            slug=save.slug,
            operation=save.operation,
            expected=save.expected,
            document=record,
            account=save.account_id,
            reference=keyspace.reference(save.account_id, save.slug),
            names_digest=hashlib.blake2b(names, digest_size=8).hexdigest(),
            names=names,
            most_versions=VERSIONS_KEPT,
            facts=pack_facts(save.note, save.account_id, save.document),
            draft_revision=save.draft_revision,
            summary=pack_summary(save.document),
            calls=join_calls(save.document),
            canary=save.canary and encode_canary(save.canary),
            limits=self._limits,
        )

    async def revise(self, save: WorkflowSave, former_operation: str) -> None:
        """Write the expected version anew, where `former_operation` is that of its last save.

        Raises WorkflowNotFound, VersionConflict and QuotaExceeded.
        """
        reply = await self._client.call(
            SCRIPTS["revise_version"],
            workflow=keyspace.workflow(save.account_id, save.slug),
            documents=keyspace.stored_documents(save.account_id),
            accounts=keyspace.accounts(partition_of(save.account_id)),
            workflows_by_time=keyspace.workflows_by_time(save.account_id),
            operation=save.operation,
            expected=save.expected,
            former_operation=former_operation,
            document=pack_version(save),
            account=save.account_id,
            slug=save.slug,
            summary=pack_summary(save.document),
            limits=self._limits,
        )
        _parse(reply)


def pack_version(save: WorkflowSave) -> bytes:
    """Encode the record of a version."""
    document, problems = save.document, list(save.problems)
    record = {
        "document": to_record(document),
        "problems": problems,
        **Format.WORKFLOW_VERSION.members,
    }
    if not problems and (needs := needs_of(document.nodes, document.edges)):
        record["needs"] = needs
    return pack(record)


async def _names(save: WorkflowSave) -> Sequence[NodeName]:
    """Return id and type of each node in plan order; none when the document has no plan."""
    nodes, edges = save.document.nodes, save.document.edges
    if save.problems:
        return []
    try:
        if len(nodes) + len(edges) < LARGE_GRAPH:
            return name_nodes(nodes, edges)
        return await asyncio.to_thread(name_nodes, nodes, edges)
    except InvalidGraph:
        return []


def _parse(reply: Sequence[Any]) -> tuple[int, int, int]:
    match reply:
        case [b"gone"]:
            raise WorkflowNotFound
        case [b"conflict", current]:
            raise VersionConflict(int(current))
        case [b"moved", current]:
            raise RevisionConflict(int(current))
        case [b"full", quota, used, limit]:
            raise quota_exceeded(quota, used, limit)
        case [b"unpublished"]:
            raise InvalidBody(UNPUBLISHED, field="canary")
    _, version, created, updated = reply[:4]
    return int(version), int(created), int(updated)
