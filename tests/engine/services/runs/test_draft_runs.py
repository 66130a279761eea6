"""Runs of drafts on record: their start, and the draft that they keep."""

import pytest

from engine.errors import DraftNotFound, WorkflowNotFound
from engine.executions.statuses import NodeStatus
from engine.store import Account, Store
from engine.store.executions.record_fields import parse_rows
from engine.store.redis.record_packing import unpack
from tests.support.factories import Graph, greeting
from tests.support.workers.draft_runs import accept_draft, drafted


async def record(store: Store, account: Account, execution_id: str) -> dict[str, bytes]:
    return await store.walks.records(account.id, execution_id)


async def test_a_run_keeps_the_graph_and_the_names_of_its_nodes(
    store: Store, account: Account
) -> None:
    slug = await drafted(store, account, greeting())

    execution_id = await accept_draft(store, account, slug, {"who": "Ada"})

    found = await record(store, account, execution_id)
    assert unpack(found["draft"])["edges"] == greeting().edges
    assert (found["slug"].decode(), found["version"], found["statuses"]) == (slug, b"", b"ppp")
    names = await store.executions.node_names(account.id, execution_id)
    assert [name.id for name in names] == ["in", "t0", "out"]
    execution = await store.executions.get(account.id, execution_id)
    assert (execution.workflow_version, execution.source) == (0, "app-draft")


async def test_pinned_nodes_are_settled_from_the_start(store: Store, account: Account) -> None:
    slug = await drafted(store, account, greeting())

    execution_id = await accept_draft(
        store, account, slug, {"who": "Ada"}, pinned={"t0": {"text-out": "Pinned"}}
    )

    found = await record(store, account, execution_id)
    assert found["statuses"] == b"scp"
    assert unpack(parse_rows(found)[1].outputs) == {"text-out": "Pinned"}
    execution = await store.executions.get(account.id, execution_id)
    assert [(node.status, node.attempts, node.started_at) for node in execution.nodes] == [
        (NodeStatus.SKIPPED, 0, None),
        (NodeStatus.COMPLETED, 0, None),
        (NodeStatus.PENDING, 0, None),
    ]


async def test_a_run_of_a_draft_is_not_walked_before_its_claim(
    store: Store, account: Account
) -> None:
    slug = await drafted(store, account, greeting())

    await accept_draft(store, account, slug, {"who": "Ada"})

    hint = (await store.hints.heads())["walk"]
    assert hint is not None
    assert b"\n" not in hint


async def test_a_sound_part_of_a_draft_runs(store: Store, account: Account) -> None:
    graph = greeting().node("wrong", "nothing").wire("t0.text-out > wrong.x")
    slug = await drafted(store, account, graph)

    execution_id = await accept_draft(store, account, slug, {"who": "Ada"}, only="t0")

    names = await store.executions.node_names(account.id, execution_id)
    assert [name.id for name in names] == ["in", "t0", "out"]
    assert (await record(store, account, execution_id))["statuses"] == b"pps"


async def test_drafts_of_others_and_missing_ones_are_not_found(
    store: Store, account: Account
) -> None:
    other = await store.accounts.create(email="eve@example.org", tier=account.tier)
    slug = await drafted(store, account, Graph().node("out", "responseOutput"))

    with pytest.raises(WorkflowNotFound):
        await accept_draft(store, other, slug)
    await store.drafts.discard(account.id, slug)
    with pytest.raises(DraftNotFound):
        await accept_draft(store, account, slug)
