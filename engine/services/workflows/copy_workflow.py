"""Copies of workflows: of one's own, or of a template, with its media and called templates."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.errors import AssetNotFound, EngineError, InvalidGraph
from engine.graph.calls import replace_calls
from engine.graph.document import Document, is_draft, parse_document
from engine.services.media import MediaService
from engine.services.secrets import find_uses
from engine.services.workflow_tests import save_tests
from engine.services.workflows.called_templates import Show, find_called_templates
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.publish import save_new
from engine.services.workflows.save_workflow import named_assets, replace_assets
from engine.store import Store, Workflow
from engine.store.media import AssetSource
from engine.store.workflows.workflow_test_records import WorkflowTest

Tests = Mapping[str, WorkflowTest]
"""Tests of a workflow by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCopy:
    """A saved copy, and the workflows that it calls."""

    workflow: Workflow
    called: Mapping[str, str] = field(default_factory=dict)
    """Slugs of the copies that were saved with it, by those of the originals."""
    missing: Sequence[str] = ()
    """Slugs of called workflows that could not be copied: the copy is a draft."""


async def copy_workflow(
    store: Store,
    media_service: MediaService,
    account_id: str,
    original: Workflow,
    body: Mapping[str, Any],
    *,
    checker: GraphChecker,
    show: Show,
) -> WorkflowCopy:
    """Save a copy for an account of a workflow as `show` shows it to that account.

    The copy is neither template nor public, and members of `body` replace those of the original.
    An unpublished workflow becomes a draft, and so does another account's template with secrets:
    the first run would send its hosts the copier's secrets of these names. Media of another account
    and templates that its template calls are copied; without one of the latter the copy is a draft.
    Its tests are copied, unless `body` has some. Raises InvalidBody, InvalidGraph, QuotaExceeded
    and what storing media raises.
    """
    tests = await save_tests.tests_of(body, store, account_id, checker.expressions)
    if original.account_id != account_id:
        copies = _Copies(store, media_service, account_id, original.account_id, checker)
        return await copies.copy(original, body, show, tests)
    base = _unshared(original)
    parse_document(body, base)  # refuses a body before the store is asked
    ids = {each: each for each in await _living(store, account_id, base)}
    document = parse_document(body, replace_assets(base, ids))
    drafts = is_draft(body) if "draft" in body else not original.version
    saved = await save_new(store, account_id, document, drafts=drafts, checker=checker)
    copied = await _tests_of(store, original) if tests is None else tests
    await save_tests.save_new_tests(store, saved, copied)
    return WorkflowCopy(workflow=saved)


class _Copies:
    """Copies of the templates of one owner, which all go when one of them cannot be saved."""

    def __init__(
        self,
        store: Store,
        media_service: MediaService,
        account_id: str,
        owner_id: str,
        checker: GraphChecker,
    ) -> None:
        self._store = store
        self._media_service = media_service
        self._account_id = account_id
        self._owner_id = owner_id
        self._checker = checker
        self._assets: list[str] = []
        self._saved: dict[str, Workflow] = {}

    async def copy(
        self, original: Workflow, body: Mapping[str, Any], show: Show, tests: Tests | None
    ) -> WorkflowCopy:
        """Copy a template and those that it calls; `tests` are the copy's, None: the template's."""
        base = _unshared(original)
        document = parse_document(body, base)  # refuses a body before anything is copied
        shared = await _tests_of(self._store, original) if tests is None else {}
        judges = [each.judge.workflow for each in shared.values() if each.judge]
        called = await find_called_templates(
            self._store, self._account_id, self._owner_id, document, show, judges
        )
        try:
            for slug, each in called.found.items():
                self._saved[slug] = await self._copy_called(_unshared(each))
            is_incomplete = bool(called.missing) or self._has_drafts()
            drafts = is_incomplete or not original.version or _has_secrets(base)
            workflow = await self._save(
                base, body, drafts=is_draft(body) if "draft" in body else drafts
            )
            copied = await self._copied_tests(shared) if tests is None else tests
            await save_tests.save_new_tests(self._store, workflow, copied)
        except EngineError:
            await self._undo()
            raise
        copies = {slug: each.slug for slug, each in self._saved.items()}
        return WorkflowCopy(workflow=workflow, called=copies, missing=sorted(called.missing))

    def _has_drafts(self) -> bool:
        return any(not each.version for each in self._saved.values())

    async def _copy_called(self, base: Document) -> Workflow:
        """Save a called template; as a draft where it has secrets or cannot run here."""
        if not _has_secrets(base):
            with contextlib.suppress(InvalidGraph):
                return await self._save(base, {}, drafts=False)
        return await self._save(base, {}, drafts=True)

    async def _save(self, base: Document, body: Mapping[str, Any], *, drafts: bool) -> Workflow:
        ids = await self._copy_media(named_assets(base))
        document = parse_document(body, replace_assets(base, ids))
        slugs = {slug: each.slug for slug, each in self._saved.items()}
        document = replace(document, nodes=replace_calls(document.nodes, slugs))
        return await save_new(
            self._store, self._account_id, document, drafts=drafts, checker=self._checker
        )

    async def _copied_tests(self, tests: Tests) -> Tests:
        """Return tests of the owner with copies of their media and of their judges."""
        ids = await self._copy_media(save_tests.named_assets(tests))
        slugs = {slug: each.slug for slug, each in self._saved.items()}
        return {name: save_tests.with_replaced(each, ids, slugs) for name, each in tests.items()}

    async def _copy_media(self, named: set[str]) -> dict[str, str]:
        """Copy the owner's assets among those; return the copies' ids by the originals'."""
        ids: dict[str, str] = {}
        for asset_id in sorted(named):
            with contextlib.suppress(AssetNotFound):  # the check of the graph, or the run, tells
                asset = await self._store.assets.get(self._owner_id, asset_id)
                pieces = await self._media_service.stream(asset)
                copy = await self._media_service.save(
                    self._account_id, asset.content_type, pieces, source=AssetSource.UPLOAD
                )
                ids[asset_id] = copy.id
                self._assets.append(copy.id)
        return ids

    async def _undo(self) -> None:
        for workflow in self._saved.values():
            with contextlib.suppress(EngineError):
                await self._store.workflows.delete(self._account_id, workflow.slug, force=True)
        for asset_id in self._assets:
            with contextlib.suppress(EngineError):  # it expires, since nothing needs it
                await self._media_service.delete(self._account_id, asset_id)


async def _tests_of(store: Store, workflow: Workflow) -> Tests:
    saved = await store.workflow_tests.list(workflow.account_id, workflow.slug)
    return {each.name: each.test for each in saved}


def _unshared(original: Workflow) -> Document:
    return replace(original.document, public_playground=False, is_template=False, archived=False)


def _has_secrets(document: Document) -> bool:
    return any(find_uses(document.nodes))


async def _living(store: Store, account_id: str, document: Document) -> list[str]:
    own_ids = []
    for asset_id in named_assets(document):
        with contextlib.suppress(AssetNotFound):
            own_ids.append((await store.assets.get(account_id, asset_id)).id)
    return own_ids
