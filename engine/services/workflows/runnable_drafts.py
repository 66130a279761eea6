"""Drafts that run as a whole, in replays and test runs."""

from engine.errors import WorkflowNotRunnable
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.save_workflow import find_problems
from engine.store import Draft, Store


async def compile_draft(
    store: Store, draft: Draft, *, checker: GraphChecker
) -> tuple[DraftGraph, Plan]:
    """Return the graph of a draft with its plan. Raises WorkflowNotRunnable for problems."""
    document = draft.document
    problems = await find_problems(
        store, draft.account_id, document, checker=checker, slug=draft.slug
    )
    if problems:
        raise WorkflowNotRunnable(problems)
    graph = DraftGraph(nodes=document.nodes, edges=document.edges)
    return graph, await graph.compile_aside()
