"""Checks that no public workflow asks a person, directly or by the workflows that it calls.

Callers of a public workflow are no members of its account, and nobody could answer for them.
"""

from collections.abc import Iterator

from engine.errors import WorkflowNotFound
from engine.graph.approvals import find_approvals
from engine.graph.bodies import Elements, walk_nodes
from engine.graph.calls import calls_of, find_calls
from engine.graph.document import Document
from engine.graph.parsed import Callees, Problem, problem_at
from engine.nodes.support.children import CalleeInterface
from engine.services.workflows.callees import resolve_callees
from engine.store import Store

OWN = "An approval cannot be in a public workflow: other accounts run it, and nobody could answer"
MAX_CALLERS = 1_000
"""Workflows that are looked at for a public one that calls a workflow over any number of steps."""


async def find_public_problems(
    store: Store, account_id: str, document: Document, slug: str
) -> list[Problem]:
    """Return the problems of a sound workflow that becomes public."""
    callees = await resolve_callees(store, account_id, document.nodes, slug)
    return await check_public(store, account_id, document.nodes, callees, slug=slug, is_public=True)


async def check_public(
    store: Store,
    account_id: str,
    nodes: Elements,
    callees: Callees,
    *,
    slug: str | None,
    is_public: bool,
) -> list[Problem]:
    """Return a problem for each approval, or call of one, that a public workflow would run.

    `slug` is that of the workflow; None: it is new, and none calls it.
    """
    own = list(find_approvals(nodes))
    calling = list(_find_calls_with_approval(nodes, callees))
    if not own and not calling:
        return []
    if is_public:
        problems = [problem_at(path, OWN) for path in own]
        return problems + [
            problem_at(path, _callee_words(name), "workflow") for path, name in calling
        ]
    caller = None if slug is None else await _find_public_caller(store, account_id, slug)
    if caller is None:
        return []
    reason = f"The public workflow '{caller}' calls this one, and must not come to an approval"
    return [problem_at(path, reason) for path in (*own, *(path for path, _ in calling))]


def _find_calls_with_approval(
    nodes: Elements, callees: Callees
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the paths of nodes that call a workflow with an approval, and its slug."""
    for path, node in walk_nodes(nodes):
        for call in calls_of(node):
            found = callees.get(call)
            if isinstance(found, CalleeInterface) and found.has_approval:
                yield path, call.workflow


def _callee_words(slug: str) -> str:
    return f"workflow: '{slug}' comes to an approval, which a public workflow must not do"


async def _find_public_caller(store: Store, account_id: str, slug: str) -> str | None:
    """Return a public workflow that calls the live version of one over any number of steps."""
    seen, pending = {slug}, [slug]
    while pending and len(seen) <= MAX_CALLERS:
        called = pending.pop(0)
        for caller in await store.workflow_callers.of_live(account_id, called):
            if caller in seen:
                continue
            seen.add(caller)
            document = await _find_live(store, account_id, caller)
            # The index has calls of drafts too; they are checked when those are published.
            if document is None or all(
                call.workflow != called or call.version for call in find_calls(document.nodes)
            ):
                continue
            if document.public_playground:
                return caller
            pending.append(caller)
    return None


async def _find_live(store: Store, account_id: str, slug: str) -> Document | None:
    """Return the live version of a workflow; None: it is gone or was never published."""
    try:
        workflow = await store.workflows.get_own(account_id, slug)
    except WorkflowNotFound:
        return None
    return workflow.document if workflow.version else None
