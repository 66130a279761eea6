"""A version that is restored is a new version, if it still can run."""

from dataclasses import replace

import pytest

from engine.errors import InvalidGraph
from engine.graph.document import parse_document
from engine.models.registry import use_models
from engine.services.workflows.restore_version import restore_version
from engine.store import Account, Store
from tests.support.factories import Graph
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.manifests import model
from tests.support.store.records import document


async def test_a_version_whose_model_is_gone_is_not_restored(
    store: Store, account: Account
) -> None:
    graph = Graph().node("m", "customModel", model="mine", prompt="x").node("out", "responseOutput")
    first = parse_document(graph.wire("m.text-out > out.result-in").body())
    with use_models([model("mine")]):
        workflow = await store.workflows.create(account.id, first, [])
        await store.workflows.update(account.id, workflow.slug, document(), [])

    with use_models([]), pytest.raises(InvalidGraph):
        await restore_version(store, account.id, workflow.slug, 1, checker=ANY_URL)
    with use_models([model("mine")]):
        restored = await restore_version(store, account.id, workflow.slug, 1, checker=ANY_URL)

    assert (restored.version, restored.document) == (3, first)


async def test_a_restored_version_is_seen_by_nobody_who_does_not_see_the_live_one(
    store: Store, account: Account
) -> None:
    public = replace(document(), public_playground=True, is_template=True)
    workflow = await store.workflows.create(account.id, public, [])
    await store.workflows.update(account.id, workflow.slug, document(text="new"), [])

    restored = await restore_version(store, account.id, workflow.slug, 1, checker=ANY_URL)

    assert restored.document == document()
