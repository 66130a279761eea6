"""Runs of drafts in tests."""

from collections.abc import Mapping
from typing import Any

from engine.graph.document import parse_document
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.draft_runs import DraftPart, DraftRun
from engine.settings import Settings
from engine.store import Account, NewRun, Store
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
    """Accept a run of the draft, with members of `DraftPart`; return its id."""
    media_service = MediaService.from_settings(Settings(), store)
    target = DraftRun(
        store=store,
        media_service=media_service,
        checker=ANY_URL,
        slug=slug,
        part=DraftPart(**members),
    )
    new = NewRun(
        account_id=account.id,
        terms=store.tiers.terms(account.tier, account.role),
        source=target.source,
        key_id="key",
        notifier=notifier,
    )
    acceptance = Acceptance(store=store, media_service=media_service, allow_http=True)
    await acceptance.accept(new, target, inputs or {})
    return new.execution_id
