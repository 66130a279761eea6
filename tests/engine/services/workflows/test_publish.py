"""Saves of a workflow that was never published, and saves that make no version."""

import asyncio
from typing import Any

import pytest

from engine.errors import DraftNotFound, InvalidGraph
from engine.models.registry import use_models
from engine.services.workflows.publish import create_workflow, update_workflow
from engine.store import Account, Store, Workflow
from tests.support.factories import Graph
from tests.support.gateway.documents import broken, greeting
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.manifests import model


async def create(store: Store, account: Account, body: dict[str, Any]) -> Workflow:
    return await create_workflow(store, account.id, body, checker=ANY_URL)


async def update(store: Store, workflow: Workflow, body: dict[str, Any]) -> Workflow:
    return await update_workflow(store, workflow.account_id, workflow.slug, body, checker=ANY_URL)


async def test_members_without_a_graph_go_into_the_draft_of_what_was_never_published(
    store: Store, account: Account
) -> None:
    sketch = await create(store, account, broken("Sketch", draft=True))

    renamed = await update(store, sketch, {"name": "Renamed"})

    assert (renamed.version, renamed.document.name) == (0, "Renamed")
    assert renamed.document.nodes == sketch.document.nodes
    assert len(renamed.problems) == 2


async def test_a_graph_publishes_and_takes_the_draft_away(store: Store, account: Account) -> None:
    sketch = await create(store, account, broken("Sketch", draft=True, tags=["kept"]))
    graph = {name: greeting()[name] for name in ("nodes", "edges")}

    published = await update(store, sketch, graph)

    assert (published.version, published.document.tags) == (1, ("kept",))
    with pytest.raises(DraftNotFound):
        await store.drafts.get(account.id, "sketch")


async def test_a_draft_that_is_called_none_is_published_if_it_can_run(
    store: Store, account: Account
) -> None:
    right = await create(store, account, greeting("Right", draft=True))
    wrong = await create(store, account, broken("Wrong", draft=True))

    published = await update(store, right, {"draft": False})
    with pytest.raises(InvalidGraph):
        await update(store, wrong, {"draft": False})

    assert published.version == 1
    assert (await store.workflows.get("wrong")).version == 0


async def test_members_that_change_at_once_are_all_kept(store: Store, account: Account) -> None:
    workflow = await create(store, account, greeting())
    changes: list[dict[str, Any]] = [{"description": "d"}, {"tags": ["t"]}, {"folderId": "f"}]

    await asyncio.gather(*(update(store, workflow, change) for change in changes))

    saved = await store.workflows.get("greeting")
    kept = (saved.document.description, saved.document.tags, saved.document.folder_id)
    assert (kept, saved.version) == (("d", ("t",), "f"), 1)


async def test_a_workflow_whose_model_is_gone_can_be_archived(
    store: Store, account: Account
) -> None:
    graph = Graph().node("m", "customModel", model="mine", prompt="x").node("out", "responseOutput")
    with use_models([model("mine")]):
        body = graph.wire("m.text-out > out.result-in").body()
        workflow = await create(store, account, body)

    with use_models([]):
        archived = await update(store, workflow, {"archived": True})

    assert archived.document.archived
