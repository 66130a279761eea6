"""Saves of workflow documents: quota of the account's tier, versions and nodes' names."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.access.tiers import Tiers
from engine.errors import InvalidGraph, QuotaExceeded, VersionConflict, WorkflowNotFound
from engine.graph.document import Document, to_record
from engine.graph.plan import name_nodes
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpacked_size
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.versions import VERSIONS_KEPT, Versions

LARGE_GRAPH = 200
"""Number of nodes and edges from which their names are computed outside the event loop."""
COUNTED_AT_ONCE = 100
QUOTAS = {b"workflows": "workflows", b"bytes": "documentBytes"}
"""Quota names in errors by the script's names."""


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


class WorkflowSaves:
    """Writes versions and counts the stored documents of each account."""

    def __init__(self, client: Client, tiers: Tiers, versions: Versions) -> None:
        self._client = client
        self._versions = versions
        self._limits = _limits(tiers)

    async def write(self, save: WorkflowSave) -> tuple[int, int, int, int]:
        """Save a version and return its number, creation time, update time and size.

        Raises WorkflowNotFound, VersionConflict and QuotaExceeded.
        """
        record = pack({"document": to_record(save.document), "problems": list(save.problems)})
        own = await _args(save, record)
        keys, args = _keys(save), [*own, VERSIONS_KEPT, *self._limits]
        script = SCRIPTS["save_workflow"]
        reply = await self._client.call(script, keys, args)
        if reply[0] == b"uncounted":
            await self._count(save.account_id)
            reply = await self._client.call(script, keys, args)
        if reply[:2] == [b"full", b"bytes"] and save.expected != "new":
            await self._versions.make_room(save.account_id, save.slug)
            reply = await self._client.call(script, keys, args)
        return *_parse(reply), unpacked_size(record)

    async def _count(self, account_id: str) -> None:
        """Count the workflows of an account that predate the count of documents."""
        stored = keyspace.stored_documents(account_id)
        names = await self._client.send("SMEMBERS", keyspace.account_workflows(account_id))
        slugs = [name.decode() for name in names]
        for start in range(0, len(slugs), COUNTED_AT_ONCE):
            some = slugs[start : start + COUNTED_AT_ONCE]
            keys = ([keyspace.workflow(account_id, slug), stored] for slug in some)
            counting = (self._client.call(SCRIPTS["count_workflow"], each, []) for each in keys)
            await asyncio.gather(*counting)
        await self._client.send("HSET", stored, "counted", 1)


def _keys(save: WorkflowSave) -> list[str]:
    partition = partition_of(save.account_id)
    return [
        keyspace.workflow(save.account_id, save.slug),
        keyspace.account_workflows(save.account_id),
        keyspace.workflow_node_names(save.account_id, save.slug),
        keyspace.stored_documents(save.account_id),
        keyspace.workflows_due(partition),
        keyspace.accounts(partition),
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


def _limits(tiers: Tiers) -> list[str]:
    """Return tier and limits of every tier as arguments of the script."""

    def shown(limit: int | None) -> str:
        return "" if limit is None else str(limit)

    return [
        word
        for tier, terms in tiers.by_tier.items()
        for word in (tier.value, f"{shown(terms.workflows)}:{shown(terms.document_bytes)}")
    ]


def _parse(reply: Sequence[Any]) -> tuple[int, int, int]:
    match reply[0]:
        case b"gone":
            raise WorkflowNotFound
        case b"conflict":
            raise VersionConflict(int(reply[1]))
        case b"full":
            raise QuotaExceeded(QUOTAS[reply[1]], used=int(reply[2]), limit=int(reply[3]))
    return int(reply[1]), int(reply[2]), int(reply[3])
