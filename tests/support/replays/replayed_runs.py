"""Replays of single executions in tests, on a draft."""

from collections.abc import Mapping
from typing import Any

from engine.access.tiers import TierTerms
from engine.executions.execution import Execution
from engine.executions.replays import ReplayCalls
from engine.executions.sources import Source
from engine.graph.document import RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.services.media import MediaService
from engine.services.replays.replay_runs import ReplayedDraft, ReplayRun
from engine.services.runs.acceptance import Acceptance
from engine.settings import Settings
from engine.store import Account, NewRun, Store
from tests.support.factories import Graph
from tests.support.workers.paying_account import PayingAccount

RECORDED, LIVE = ReplayCalls.RECORDED, ReplayCalls.LIVE


async def accept_replay(
    store: Store,
    account: Account,
    former: Execution,
    against: Graph | int,
    calls: ReplayCalls = RECORDED,
    *,
    terms: TierTerms | None = None,
    media_service: MediaService | None = None,
    record_values: RecordValues = RecordValues.ALL,
    **members: Any,
) -> str:
    """Accept the run of an execution on a draft or a version; return its id."""
    media = media_service or MediaService.from_settings(Settings(), store)
    if isinstance(against, Graph):
        graph = DraftGraph(nodes=against.nodes, edges=against.edges)
        draft = ReplayedDraft(graph=graph, record_values=record_values)
    target = ReplayRun(
        store=store,
        media_service=media,
        allow_http=True,
        slug=former.workflow_slug,
        execution_id=former.id,
        against=against if isinstance(against, int) else draft,
        calls=calls,
    )
    run = NewRun(account_id=account.id, terms=terms, source=Source.REPLAY, key_id="key", **members)
    acceptance = Acceptance(store=store, media_service=media, allow_http=True)
    await acceptance.accept(run, target, {})
    return run.execution_id


async def replay(
    payer: PayingAccount,
    former: Execution,
    against: Graph | int,
    calls: ReplayCalls = RECORDED,
    **options: Any,
) -> Execution:
    """Run an execution again by the walker of an account, and wait for its end."""
    execution_id = await accept_replay(
        payer.store, payer.account, former, against, calls, terms=payer.terms, **options
    )
    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    return await payer.end(execution_id)


def code_of(execution: Execution) -> str | None:
    """Return the code of the node that has failed an execution."""
    error: Mapping[str, Any] = execution.error or {}
    return error.get("nodeCode")
