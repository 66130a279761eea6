"""Restoring a version: its document becomes a new version."""

from dataclasses import replace

from engine.errors import InvalidGraph
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.save_workflow import find_problems, finish_save
from engine.store import Store, Workflow


async def restore_version(
    store: Store, account_id: str, slug: str, version: int, *, checker: GraphChecker
) -> Workflow:
    """Publish a version of an own workflow as a new one; a draft stays as it is.

    Its visibility stays too: a version from a time at which it was public does not
    make a private one public again.

    Raises WorkflowNotFound, VersionNotFound, QuotaExceeded, and InvalidGraph where it cannot run by
    now, since a model or an asset is gone.
    """
    former = await store.workflows.get_version(account_id, slug, version)
    live = (await store.workflows.get_own(account_id, slug)).document
    document = replace(
        former.document, public_playground=live.public_playground, is_template=live.is_template
    )
    problems = await find_problems(store, account_id, document, checker=checker, slug=slug)
    if problems:
        raise InvalidGraph(problems)
    note = f"Version {version} restored"
    workflow = await store.workflows.update(account_id, slug, document, [], note=note)
    await finish_save(store, workflow)
    return workflow
