"""Runs of drafts in tests."""

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.graph.document import parse_document
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance, NewRun, Runnable
from engine.services.runs.draft_runs import DraftRun, DraftRuns
from engine.services.runs.run_inputs import compute_here
from engine.settings import Settings
from engine.store import Account, Store
from tests.support.factories import Graph
from tests.support.graphs.graph_checkers import ANY_URL

FREE = Graph().node("out", "responseOutput")
"""The published version of workflows whose drafts run."""


async def drafted(store: Store, account: Account, graph: Graph) -> str:
    """Save a workflow with this draft; return its slug."""
    document = parse_document(FREE.body())
    slug = (await store.workflows.create(account.id, document, [])).slug
    await write(store, account, slug, graph)
    return slug


async def write(store: Store, account: Account, slug: str, graph: Graph) -> None:
    """Write the draft."""
    document = parse_document(graph.body())
    await store.drafts.write(account.id, slug, document, [])


async def accept_draft(
    store: Store,
    account: Account,
    slug: str,
    inputs: Mapping[str, Any] | None = None,
    notifier: str = "",
    **members: Any,
) -> str:
    """Accept a run of the draft, with members of `DraftRun`; return its id."""
    media_service = MediaService.of(Settings(), store)
    drafts = DraftRuns(store=store, media_service=media_service, checker=ANY_URL)
    new = NewRun(
        account_id=account.id,
        execution_id=str(uuid.uuid4()),
        inputs=inputs or {},
        terms=store.tiers.terms(account.tier, account.role),
        source="app-draft",
        key_id="key",
        notifier=notifier,
    )
    find = partial(_find, drafts, account, slug, DraftRun(**members))
    acceptance = Acceptance(store=store, media_service=media_service, allow_http=True)
    await acceptance.accept(new, find, compute_here)
    return new.execution_id


async def _find(
    drafts: DraftRuns, account: Account, slug: str, run: DraftRun, *, fresh: bool
) -> Runnable:
    return await drafts.find(account.id, slug, run)
