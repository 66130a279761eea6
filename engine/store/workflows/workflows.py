"""Workflows at rest: a head, a document for each version, and the directory of slugs."""

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from engine.errors import (
    ModelNotFound,
    NotFound,
    NotOwner,
    QuotaExceeded,
    WorkflowNotFound,
)
from engine.graph.document import Document, RecordValues
from engine.graph.model_plan import MODEL, NAMES, model_plan
from engine.graph.plan import NodeName, Plan
from engine.ids.slugs import slugify
from engine.models.registry import find_model
from engine.process.lru_cache import LruCache
from engine.releases.aliases import NO_ALIASES, Aliases, Canary
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.workflows.deletion import WorkflowDeletion
from engine.store.workflows.directory import UNLISTED, Directory
from engine.store.workflows.drafts import Draft, Drafts
from engine.store.workflows.plan_cache import PlanCache
from engine.store.workflows.reads import WorkflowReads
from engine.store.workflows.records import Workflow, WorkflowHead
from engine.store.workflows.saves import WorkflowSave, WorkflowSaves
from engine.store.workflows.versions import Versions

SLUGS_KEPT = 50_000


class Current(NamedTuple):
    """Live version of a workflow and its aliases, as they were read together."""

    version: int
    aliases: Aliases


class Workflows:
    """Saves, reads and deletes workflows, and caches their plans."""

    def __init__(self, client: Client, limits: Sequence[str], versions: Versions) -> None:
        self._client = client
        self._versions = versions
        self._saves = WorkflowSaves(client, limits, versions)
        self._drafts = Drafts(client, limits)
        self._directory = Directory(client)
        self._reads = WorkflowReads(client)
        self._deletion = WorkflowDeletion(client)
        self._owners: LruCache[str, str] = LruCache(SLUGS_KEPT)
        self.plans = PlanCache()
        self._current: LruCache[str, Current] = LruCache(SLUGS_KEPT)

    async def create(
        self, account_id: str, document: Document, problems: list[dict[str, Any]]
    ) -> Workflow:
        """Save the first version under a permanent slug made from its name.

        Raises QuotaExceeded.
        """
        slug = await self._directory.assign(account_id, slugify(document.name))
        try:
            save = self._new_save(account_id, slug, document, "new")
            return await self._write(replace(save, problems=problems))
        except QuotaExceeded:
            await self._directory.release(slug)
            raise

    async def create_draft(
        self, account_id: str, document: Document, problems: Sequence[dict[str, Any]]
    ) -> Workflow:
        """Begin a workflow that has only a draft, under a slug made from its name, for good.

        Raises QuotaExceeded.
        """
        slug = await self._directory.assign(account_id, slugify(document.name))
        try:
            await self._drafts.write(account_id, slug, document, problems, "new")
        except QuotaExceeded:
            await self._directory.release(slug)
            raise
        return await self._reads.current(account_id, slug)

    async def update(
        self,
        account_id: str,
        slug: str,
        document: Document,
        problems: list[dict[str, Any]],
        expected_version: int | None = None,
        note: str | None = None,
    ) -> Workflow:
        """Save a new version.

        Raises WorkflowNotFound, VersionConflict when a newer version exists, and QuotaExceeded.
        """
        expected = "" if expected_version is None else str(expected_version)
        save = self._new_save(account_id, slug, document, expected)
        return await self._write(replace(save, problems=problems, note=note))

    async def revise(self, workflow: Workflow, document: Document) -> Workflow:
        """Write the document of the current version anew, around the same graph.

        No version is made. Raises WorkflowNotFound, QuotaExceeded, and VersionConflict where it was
        saved since `workflow` was read.
        """
        account_id, slug = workflow.account_id, workflow.slug
        save = self._new_save(account_id, slug, document, str(workflow.version))
        await self._saves.revise(save, workflow.operation)
        revised = await self._reads.current(account_id, slug)
        await self._directory.list_published(slug, document, revised.updated_at)
        return revised

    async def publish(
        self,
        draft: Draft,
        note: str | None,
        expected_version: int,
        canary: Canary | None = None,
    ) -> Workflow:
        """Save a draft as a new version and remove it, both in one step.

        With `canary`, its rule, the version becomes the canary of the live one, which stays. Raises
        WorkflowNotFound, VersionConflict, RevisionConflict, QuotaExceeded, and InvalidBody for a
        canary of a workflow without a live version.
        """
        save = self._new_save(draft.account_id, draft.slug, draft.document, str(expected_version))
        save = replace(save, note=note, draft_revision=draft.revision, canary=canary)
        return await self._write(save)

    def _new_save(
        self, account_id: str, slug: str, document: Document, expected: str
    ) -> WorkflowSave:
        return WorkflowSave(
            account_id=account_id,
            slug=slug,
            document=document,
            problems=(),
            expected=expected,
            operation=secrets.token_hex(8),
        )

    async def _write(self, save: WorkflowSave) -> Workflow:
        written = await self._saves.write(save)
        if save.canary is None:
            await self._directory.list_published(save.slug, save.document, written.updated_at)
            self._current.put(save.slug, Current(written.version, written.aliases))
        else:
            self._current.drop(save.slug)
        return Workflow(
            slug=save.slug,
            account_id=save.account_id,
            version=written.version,
            document=save.document,
            problems=tuple(save.problems),
            operation=save.operation,
            created_at=written.created_at,
            updated_at=written.updated_at,
            size=written.size,
            aliases=written.aliases,
        )

    async def get(self, slug: str) -> Workflow:
        """Return the current version, independent of its owner. Raises WorkflowNotFound."""
        account_id = self._owners.get(slug) or await self._directory.owner(slug)
        workflow = await self._reads.current(account_id, slug)
        # A missing workflow is not cached: its slug may be assigned again after a refused save.
        self._owners.put(slug, account_id)
        return workflow

    async def get_readable(self, account_id: str, slug: str) -> Workflow:
        """Return the current version for its owner, or for a reader of a template.

        Foreign and unknown slugs cost the same. Raises WorkflowNotFound.
        """
        owner, is_template = await self._directory.find_template(slug)
        if owner != account_id and not is_template:
            raise WorkflowNotFound
        workflow = await self._reads.current(owner, slug)
        # The list may be behind a save.
        is_shared = workflow.version > 0 and workflow.document.is_template
        if owner != account_id and not is_shared:
            raise WorkflowNotFound
        return workflow

    async def get_own(self, account_id: str, slug: str) -> Workflow:
        """Return the current version, for its owner alone. Raises what `check_own` raises."""
        await self.check_own(account_id, slug)
        return await self._reads.current(account_id, slug)

    async def check_own(self, account_id: str, slug: str) -> None:
        """Raises WorkflowNotFound, or NotOwner for a template of another account.

        Foreign and unknown slugs cost the same; whether an own one was deleted is not looked up.
        """
        owner, is_template = await self._directory.find_template(slug)
        if owner == account_id:
            return
        raise NotOwner if is_template else WorkflowNotFound

    async def get_public(self, slug: str) -> Workflow:
        """Return the current version if its schema is public.

        Private and unknown slugs cost the same. Raises WorkflowNotFound.
        """
        owner, is_public = await self._directory.find_public(slug)
        if not is_public:
            raise WorkflowNotFound
        return await self._reads.current(owner, slug)

    async def get_version(self, account_id: str, slug: str, version: int) -> Workflow:
        """Return one kept version. Raises WorkflowNotFound or VersionNotFound."""
        return await self._reads.version(account_id, slug, version)

    async def records_values(self, account_id: str, slug: str, version: int | None = None) -> bool:
        """Return whether runs of an account keep their values, whatever other processes have saved.

        They do not where the account may not run the live version, or that one. Raises Unavailable.
        """
        try:
            owner_id = self._owners.get(slug) or await self._directory.owner(slug)
            key = keyspace.workflow(owner_id, slug)
            head = WorkflowHead(*await self._client.send("HMGET", key, *WorkflowHead._fields))
            if head.is_gone or head.version is None:
                return False
            number = version or int(head.version)
            workflow, _ = self.plans.known(slug, number) or self.plans.remember(
                await self.get_version(owner_id, slug, number)
            )
        except NotFound:
            return False
        document = workflow.document
        is_shared = owner_id == account_id or document.public_playground
        return is_shared and document.record_values is RecordValues.ALL

    async def plan(self, slug: str, *, fresh: bool = False) -> tuple[Workflow, Plan | None]:
        """Return the latest known version with its plan (None before the first).

        `accept` checks the version; when it reports a stale one, call this again with `fresh`.
        """
        current = None if fresh else self._current.get(slug)
        known = None if current is None else self.plans.known(slug, current.version)
        if known is not None:
            return known
        workflow = await self.get(slug)
        self._current.put(slug, Current(workflow.version, workflow.aliases))
        return self.plans.remember(workflow)

    def known_aliases(self, slug: str) -> Aliases:
        """Return the aliases that belong to the version which `plan` has returned last."""
        current = self._current.get(slug)
        return NO_ALIASES if current is None else current.aliases

    def forget_current(self, slug: str) -> None:
        """Read the live version and the aliases anew for the next run."""
        self._current.drop(slug)

    async def own_plan(
        self, account_id: str, slug: str, *, fresh: bool = False, version: int | None = None
    ) -> tuple[Workflow, Plan | None]:
        """Like `plan`, for the owner alone, or of one kept version.

        Foreign and unknown slugs cost the same. Raises WorkflowNotFound or VersionNotFound.
        """
        if self._owners.get(slug) != account_id and await self._directory.owner(slug) != account_id:
            raise WorkflowNotFound
        if version is None:
            planned = await self.plan(slug, fresh=fresh)
        else:
            known = None if fresh else self.plans.known(slug, version)
            planned = known or self.plans.remember(
                await self.get_version(account_id, slug, version)
            )
        self._owners.put(slug, account_id)
        return planned

    async def public_plan(self, slug: str, *, fresh: bool = False) -> tuple[Workflow, Plan | None]:
        """Like `plan`, for a public workflow; private and unknown slugs cost the same.

        Raises WorkflowNotFound.
        """
        _, is_public = await self._directory.find_public(slug)
        for is_fresh in (fresh, True) if is_public else ():  # it may be saved since it was cached
            planned = await self.plan(slug, fresh=is_fresh)
            if planned[0].document.public_playground:
                return planned
        raise WorkflowNotFound

    async def note_promotion(self, slug: str, document: Document, updated_at: int) -> None:
        """List a canary's version that has become the live one."""
        self._current.drop(slug)
        await self._directory.list_published(slug, document, updated_at)

    def compiled(self, workflow: Workflow) -> tuple[Workflow, Plan | None]:
        """Return the workflow with its plan, which is None where `problems` says why not."""
        return self.plans.compiled(workflow)

    async def plan_of(self, account_id: str, slug: str, version: int) -> tuple[Workflow, Plan]:
        """Return the plan of one version, for walking and for showing executions.

        Raises WorkflowNotFound when the version is gone or was a draft that cannot run.
        """
        known = self.plans.known(slug, version)
        if known is None:
            if self.plans.unknown_part(account_id, slug, version) is not None:
                raise WorkflowNotFound
            known = self.plans.remember(await self._reads.version_of_any(account_id, slug, version))
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
        workflow, plan = self.plans.known(slug, version) or (None, None)
        if workflow is not None and plan is not None and workflow.account_id == account_id:
            return plan.names
        names = await self._versions.node_names(account_id, slug, version)
        if names is None:
            raise WorkflowNotFound
        return names

    async def lost_models(
        self, account_id: str, slug: str, version: int, model_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """Return the nodes of an execution whose models are gone, each with a sentence about it.

        Raises WorkflowNotFound.
        """
        if not slug:
            return [(MODEL, f"There is no model '{''.join(model_ids[:1])}' here any more")]
        workflow, _ = self.plans.remember(
            await self._reads.version_of_any(account_id, slug, version)
        )
        return [(each["nodeId"], each["reason"]) for each in workflow.problems if "nodeId" in each]

    async def delete(self, account_id: str, slug: str, *, force: bool = False) -> None:
        """Delete the workflow; running executions finish.

        Raises WorkflowNotFound, and WorkflowInUse where others call it, unless `force`.
        """
        await self._deletion.delete(account_id, slug, force=force)
        self._current.drop(slug)
        await self._directory.list_published(slug, UNLISTED, 0)

    async def restore(self, account_id: str, slug: str) -> Workflow:
        """Undo a delete within 30 days, with all that is left of the workflow.

        Raises WorkflowNotFound, and WorkflowNotDeleted for one that is living.
        """
        await self._deletion.restore(account_id, slug)
        workflow = await self._reads.current(account_id, slug)
        shown = workflow.document if workflow.version else UNLISTED
        await self._directory.list_published(slug, shown, workflow.updated_at)
        return workflow
