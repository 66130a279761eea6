"""Callers of workflows, and the versions that they keep."""

from typing import Any

import pytest

from engine.errors import WorkflowInUse
from engine.graph.document import Document, parse_document
from engine.graph.parse import MAX_NODES
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.workflows.callers import join_calls
from engine.store.workflows.versions import VERSIONS_KEPT
from tests.support.gateway.documents import node
from tests.support.store.records import document, save


def calling(name: str, *callees: str, version: int | None = None) -> Document:
    pinned: dict[str, Any] = {} if version is None else {"version": version}
    nodes = [node(each, "subWorkflow", workflow=each, **pinned) for each in callees]
    return parse_document({"name": name, "nodes": nodes})


def test_calls_are_joined_in_order() -> None:
    assert join_calls(calling("A", "post", "letter")) == "letter post"
    assert join_calls(calling("A", "post", version=4)) == "post@4"
    assert join_calls(document()) == ""
    many = [f"w-{number}" for number in range(MAX_NODES + 5)]
    assert len(join_calls(calling("A", *many)).split()) == MAX_NODES


async def test_callers_of_the_live_version_are_found(store: Store, account: Account) -> None:
    for name in ("Echo", "Echo"):
        await save(store, account, name)
    await store.workflows.create(account.id, calling("First", "echo"), [])
    await store.workflows.create(account.id, calling("Pinned", "echo", version=1), [])
    await store.workflows.create(account.id, calling("Second", "echo", "echo-2"), [])
    await store.drafts.write(account.id, "echo", calling("Echo", "echo"), [])

    assert await store.workflow_callers.of_live(account.id, "echo") == ["first", "second"]
    assert await store.workflow_callers.of_live(account.id, "echo-2") == ["second"]
    assert await store.workflow_callers.of_live(account.id, "second") == []


async def test_a_called_workflow_is_deleted_with_force_alone(
    store: Store, account: Account
) -> None:
    await save(store, account)
    await store.workflows.create(account.id, calling("Pinned", "echo", version=1), [])
    await store.workflows.create(account.id, calling("First", "echo"), [])

    with pytest.raises(WorkflowInUse) as refused:
        await store.workflows.delete(account.id, "echo")

    assert refused.value.context == {"usedBy": ["first", "pinned"]}
    await store.workflows.delete(account.id, "echo", force=True)
    await store.workflows.restore(account.id, "echo")
    for caller in ("first", "pinned"):
        await store.workflows.delete(account.id, caller)
    await store.workflows.delete(account.id, "echo")


@pytest.mark.parametrize("is_called", [True, False])
async def test_a_version_that_is_called_by_its_number_is_kept(
    store: Store, account: Account, is_called: bool
) -> None:
    await save(store, account)
    if is_called:
        await store.workflows.create(account.id, calling("Pinned", "echo", version=1), [])
    for number in range(VERSIONS_KEPT + 2):
        await store.workflows.update(account.id, "echo", document(text=f"{number}"), [])
    await store.versions.prune()

    fields = await store.client.send("HKEYS", keyspace.workflow(account.id, "echo"))
    assert (b"d1" in fields) is is_called
    assert b"d2" not in fields


async def test_a_version_goes_when_nothing_calls_it_any_more(
    store: Store, account: Account
) -> None:
    await save(store, account)
    caller = await store.workflows.create(account.id, calling("Pinned", "echo", version=1), [])
    for number in range(VERSIONS_KEPT):
        await store.workflows.update(account.id, "echo", document(text=f"{number}"), [])
    await store.workflows.update(account.id, caller.slug, calling("Pinned", "echo"), [])

    await store.versions.prune()

    fields = await store.client.send("HKEYS", keyspace.workflow(account.id, "echo"))
    assert b"d1" not in fields
    assert await store.workflow_callers.of_live(account.id, "echo") == [caller.slug]
