"""Workflows at rest: a head, a document for each version, and the directory of slugs."""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from engine.access.tiers import Tiers
from engine.errors import InvalidGraph, ModelNotFound, NotFound, QuotaExceeded, WorkflowNotFound
from engine.graph.document import Document, from_record
from engine.graph.model_plan import MODEL, NAMES, model_plan
from engine.graph.plan import NodeName, Plan, compile_plan, name_nodes
from engine.ids.partitions import partition_of
from engine.ids.slugs import numbered, slugify
from engine.models.registry import find_model, generation
from engine.process.lru_cache import LruCache
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import unpack, unpacked_size
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.saves import WorkflowSave, WorkflowSaves
from engine.store.workflows.versions import Versions

PLANS_KEPT = 512
PLANS_BYTES = 134_217_728
"""Total weight of all cached plans."""
ELEMENT_BYTES = 1_500
"""Estimated memory of a node or an edge in a plan."""
SLUGS_KEPT = 50_000
SLUGS_PER_LOOK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """Version of a workflow; `problems` is empty when it can run.

    Times are milliseconds since the epoch.
    """

    slug: str
    account_id: str
    version: int
    document: Document
    problems: tuple[dict[str, str], ...]
    created_at: int
    updated_at: int
    size: int
    """Estimated size in memory in bytes."""


Kept = tuple[Workflow | None, Plan | None, int]
"""Version with its plan and the generation of the registry at its compilation."""
NOTHING: Kept = (None, None, 0)


class Workflows:
    """Saves, reads, lists and deletes workflows, and caches their plans."""

    def __init__(self, client: Client, tiers: Tiers, versions: Versions) -> None:
        self._client = client
        self._versions = versions
        self._saves = WorkflowSaves(client, tiers, versions)
        self._owners: LruCache[str, str] = LruCache(SLUGS_KEPT)
        self._plans: LruCache[tuple[str, int], Kept] = LruCache(PLANS_KEPT, PLANS_BYTES)
        self._current: LruCache[str, int] = LruCache(SLUGS_KEPT)

    async def create(
        self, account_id: str, document: Document, problems: list[dict[str, str]]
    ) -> Workflow:
        """Save the first version under a permanent slug made from its name.

        Raises QuotaExceeded.
        """
        slug = await self._take_slug(account_id, slugify(document.name))
        try:
            return await self._save(account_id, slug, document, problems, "new")
        except QuotaExceeded:
            await self._client.send("HDEL", keyspace.slugs(), slug)
            raise

    async def update(
        self,
        account_id: str,
        slug: str,
        document: Document,
        problems: list[dict[str, str]],
        expected_version: int | None = None,
    ) -> Workflow:
        """Save a new version.

        Raises WorkflowNotFound, VersionConflict when a newer version exists, and QuotaExceeded.
        """
        expected = "" if expected_version is None else str(expected_version)
        return await self._save(account_id, slug, document, problems, expected)

    async def _take_slug(self, account_id: str, slug: str) -> str:
        for start in count(1, SLUGS_PER_LOOK):
            numbers = range(start, start + SLUGS_PER_LOOK)
            names = [slug if number == 1 else numbered(slug, number) for number in numbers]
            owners = await self._client.send("HMGET", keyspace.slugs(), *names)
            for name, owner in zip(names, owners, strict=True):
                if owner is None and await self._client.send(
                    "HSETNX", keyspace.slugs(), name, account_id
                ):
                    return name
        raise AssertionError("counting does not end")

    async def _save(
        self,
        account_id: str,
        slug: str,
        document: Document,
        problems: list[dict[str, str]],
        expected: str,
    ) -> Workflow:
        save = WorkflowSave(
            account_id=account_id,
            slug=slug,
            document=document,
            problems=problems,
            expected=expected,
            operation=secrets.token_hex(8),
        )
        version, created, updated, size = await self._saves.write(save)
        await self._list(slug, document.is_template, document.public_playground)
        self._current.put(slug, version)
        return Workflow(
            slug=slug,
            account_id=account_id,
            version=version,
            document=document,
            problems=tuple(problems),
            created_at=created,
            updated_at=updated,
            size=size,
        )

    async def _list(self, slug: str, is_template: bool, is_public: bool) -> None:
        lists = {keyspace.templates(): is_template, keyspace.public_forms(): is_public}
        await asyncio.gather(
            *(self._client.send("SADD" if on else "SREM", key, slug) for key, on in lists.items())
        )

    async def get(self, slug: str) -> Workflow:
        """Return the current version, independent of its owner. Raises WorkflowNotFound."""
        account_id = self._owners.get(slug) or await self._owner(slug)
        workflow = await self._read(account_id, slug)
        # A missing workflow is not cached: its slug may be assigned again after a refused save.
        self._owners.put(slug, account_id)
        return workflow

    async def get_readable(self, account_id: str, slug: str) -> Workflow:
        """Return the current version for its owner, or for a reader of a template.

        Foreign and unknown slugs cost the same. Raises WorkflowNotFound.
        """
        owner, is_template = await self._look_up(slug, keyspace.templates())
        if owner != account_id and not is_template:
            raise WorkflowNotFound
        return await self._read(owner, slug)

    async def get_public(self, slug: str) -> Workflow:
        """Return the current version if its schema is public.

        Private and unknown slugs cost the same. Raises WorkflowNotFound.
        """
        owner, is_public = await self._look_up(slug, keyspace.public_forms())
        if not is_public:
            raise WorkflowNotFound
        return await self._read(owner, slug)

    async def _look_up(self, slug: str, listed_in: str) -> tuple[str, bool]:
        owner, is_listed = await asyncio.gather(
            self._client.send("HGET", keyspace.slugs(), slug),
            self._client.send("SISMEMBER", listed_in, slug),
        )
        return (owner or b"").decode(), bool(owner and is_listed)

    async def _owner(self, slug: str) -> str:
        data: bytes | None = await self._client.send("HGET", keyspace.slugs(), slug)
        if data is None:
            raise WorkflowNotFound
        return data.decode()

    async def _read(self, account_id: str, slug: str, version: int | None = None) -> Workflow:
        key = keyspace.workflow(account_id, slug)
        head = await self._client.send("HMGET", key, "version", "state", "created", "updated")
        if head[0] is None or (version is None and head[1] == b"deleted"):
            raise WorkflowNotFound
        number = int(head[0]) if version is None else version
        data = await self._client.send("HGET", key, f"d{number}")
        if data is None:
            raise WorkflowNotFound
        return _parse(account_id, slug, number, data, head)

    async def plan(self, slug: str, *, fresh: bool = False) -> tuple[Workflow, Plan | None]:
        """Return the latest known version with its plan (None for a draft).

        `accept` checks the version; when it reports a stale one, call this again with `fresh`.
        """
        version = None if fresh else self._current.get(slug)
        known = None if version is None else self._known(slug, version)
        if known is not None:
            return known
        workflow = await self.get(slug)
        self._current.put(slug, workflow.version)
        return self._remember(workflow)

    async def own_plan(
        self, account_id: str, slug: str, *, fresh: bool = False
    ) -> tuple[Workflow, Plan | None]:
        """Like `plan`, for the owner alone; foreign and unknown slugs cost the same.

        Raises WorkflowNotFound.
        """
        if self._owners.get(slug) != account_id and await self._owner(slug) != account_id:
            raise WorkflowNotFound
        found = await self.plan(slug, fresh=fresh)
        self._owners.put(slug, account_id)
        return found

    async def plan_of(self, account_id: str, slug: str, version: int) -> tuple[Workflow, Plan]:
        """Return the plan of one version, for walking and for showing executions.

        Raises WorkflowNotFound when the version is gone or was a draft that cannot run.
        """
        known = self._known(slug, version)
        if known is None:
            known = self._remember(await self._read(account_id, slug, version))
        workflow, plan = known
        if plan is None or workflow.account_id != account_id:
            raise WorkflowNotFound
        return workflow, plan

    async def plan_of_execution(
        self, account_id: str, slug: str, version: int, model_ids: Sequence[str]
    ) -> Plan:
        """Return the plan of an execution; without a slug it is the plan of its model.

        Raises WorkflowNotFound or ModelNotFound.
        """
        if slug:
            return (await self.plan_of(account_id, slug, version))[1]
        model = find_model(model_ids[0]) if model_ids else None
        if model is None or not model.enabled:
            raise ModelNotFound
        return model_plan(model)

    async def node_names(
        self, account_id: str, slug: str, version: int, model_ids: Sequence[str]
    ) -> Sequence[NodeName]:
        """Return the names of an execution's nodes, even if its model or document is gone.

        Raises WorkflowNotFound.
        """
        if not slug:
            with contextlib.suppress(NotFound):
                return (await self.plan_of_execution(account_id, slug, version, model_ids)).names
            return NAMES
        workflow, plan = self._known(slug, version) or (None, None)
        if workflow is not None and plan is not None and workflow.account_id == account_id:
            return plan.names
        names = await self._versions.node_names(account_id, slug, version)
        if names is not None:
            return names
        document = (await self._read(account_id, slug, version)).document
        return name_nodes(document.nodes, document.edges)  # the version predates stored names

    async def lost_models(
        self, account_id: str, slug: str, version: int, model_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """Return the nodes of an execution whose models are gone, each with a sentence about it.

        Raises WorkflowNotFound.
        """
        if not slug:
            return [(MODEL, f"There is no model '{''.join(model_ids[:1])}' here any more")]
        workflow, _ = self._remember(await self._read(account_id, slug, version))
        return [(each["nodeId"], each["reason"]) for each in workflow.problems if "nodeId" in each]

    def compiled(self, workflow: Workflow) -> tuple[Workflow, Plan | None]:
        """Return the version with its plan; the plan is None when `problems` says why it cannot
        run.
        """
        return self._known(workflow.slug, workflow.version) or self._remember(workflow)

    def _remember(self, workflow: Workflow) -> tuple[Workflow, Plan | None]:
        document = workflow.document
        try:
            plan = None if workflow.problems else compile_plan(document.nodes, document.edges)
        except InvalidGraph as error:
            # A model was removed after the save, and may come back.
            return replace(workflow, problems=tuple(error.context["problems"])), None
        key = workflow.slug, workflow.version
        self._plans.put(key, (workflow, plan, generation()), _weigh(workflow))
        return workflow, plan

    def _known(self, slug: str, version: int) -> tuple[Workflow, Plan | None] | None:
        """Return a cached version unless its models may have changed."""
        workflow, plan, compiled_at = self._plans.get((slug, version)) or NOTHING
        if workflow is None or (plan and plan.models and compiled_at != generation()):
            return None
        return workflow, plan

    async def delete(self, account_id: str, slug: str) -> None:
        """Delete the workflow; running executions finish. Raises WorkflowNotFound."""
        deleted = await self._client.call(
            SCRIPTS["delete_workflow"],
            [
                keyspace.workflow(account_id, slug),
                keyspace.account_workflows(account_id),
                keyspace.stored_documents(account_id),
                keyspace.workflows_due(partition_of(account_id)),
            ],
            [0, slug, keyspace.reference(account_id, slug)],
        )
        if not deleted:
            raise WorkflowNotFound
        self._current.drop(slug)
        await self._list(slug, is_template=False, is_public=False)

    async def templates(self) -> Sequence[Workflow]:
        """Return the workflows that every account may read, last changed first."""
        return await self._read_all(await self._client.send("SMEMBERS", keyspace.templates()))

    async def _read_all(self, slugs: Any) -> Sequence[Workflow]:
        read = await asyncio.gather(*(self._read_listed(slug.decode()) for slug in slugs))
        found = [workflow for workflow in read if workflow is not None]
        return sorted(found, key=lambda workflow: (-workflow.updated_at, workflow.slug))

    async def _read_listed(self, slug: str) -> Workflow | None:
        try:
            return await self.get(slug)
        except WorkflowNotFound:
            return None  # deleted after its name was read

    async def list(self, account_id: str) -> Sequence[Workflow]:
        """Return the account's workflows, last changed first."""
        slugs = await self._client.send("SMEMBERS", keyspace.account_workflows(account_id))
        return await self._read_all(slugs)


def _parse(account_id: str, slug: str, version: int, data: bytes, head: Any) -> Workflow:
    record = unpack(data)
    return Workflow(
        slug=slug,
        account_id=account_id,
        version=version,
        document=from_record(record["document"]),
        problems=tuple(record["problems"]),
        created_at=int(head[2]),
        updated_at=int(head[3]),
        size=unpacked_size(data),
    )


def _weigh(workflow: Workflow) -> int:
    """Return the estimated bytes of a workflow and its plan in memory."""
    document = workflow.document
    elements = len(document.nodes) + len(document.edges)
    return workflow.size + elements * ELEMENT_BYTES
