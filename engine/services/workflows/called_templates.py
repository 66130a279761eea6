"""The workflows that a template calls, as far as another account may copy them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.errors import InvalidBody, WorkflowNotFound
from engine.graph.calls import called_slugs
from engine.graph.document import Document
from engine.store import Store, Workflow

MOST_CALLED = 50
"""Workflows that one copy brings along."""

Show = Callable[[Workflow], Workflow]
"""Function that returns a workflow as its copier may see it."""


@dataclass(slots=True, kw_only=True)
class CalledTemplates:
    """Workflows that a copy needs."""

    found: dict[str, Workflow] = field(default_factory=dict)
    """Templates by their slug, each after those that it calls."""
    missing: set[str] = field(default_factory=set)
    """Slugs of workflows that are gone, or that their owner shows to nobody."""


async def find_called_templates(
    store: Store,
    account_id: str,
    owner_id: str,
    document: Document,
    show: Show,
    judges: Iterable[str] = (),
) -> CalledTemplates:
    """Find the workflows that a copy of the owner's document calls, over any number of steps.

    Those of the copier are neither found nor missing, and `judges`, the workflows that rate runs of
    its tests, are not missing. Raises InvalidBody where they are too many.
    """
    called = CalledTemplates()
    seen: set[str] = set()

    async def visit(slugs: Iterable[str]) -> None:
        for slug in slugs:
            if slug in seen:
                continue
            seen.add(slug)
            if len(seen) > MOST_CALLED:
                reason = f"The template calls more than {MOST_CALLED} workflows"
                raise InvalidBody(reason, field="copyOf")
            try:
                workflow = await store.workflows.get_readable(account_id, slug)
            except WorkflowNotFound:
                called.missing.add(slug)
                continue
            if workflow.account_id == owner_id:
                await visit(called_slugs(workflow.document.nodes))
                called.found[slug] = show(workflow)
            elif workflow.account_id != account_id:
                called.missing.add(slug)

    await visit(called_slugs(document.nodes))
    missing = set(called.missing)
    await visit(judges)
    called.missing = missing
    return called
