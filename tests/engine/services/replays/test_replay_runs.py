"""Runs of replays on record: their inputs, their book, and no reservation of credits."""

from dataclasses import replace

import pytest

from engine.access.capabilities import Tier
from engine.errors import InvalidBody, InvalidInputs, VersionNotFound, WorkflowNotRunnable
from engine.graph.document import RecordValues, parse_document
from engine.services.replays.books import unpack_book
from engine.store import Account, Store
from engine.store.redis.record_packing import unpack
from tests.support.factories import Graph
from tests.support.replays.ended_calls import DONE, URL, ended_call, http_call
from tests.support.replays.replayed_runs import LIVE, accept_replay


async def record_of(store: Store, account: Account, execution_id: str) -> dict[str, bytes]:
    return await store.walks.records(account.id, execution_id)


async def test_a_run_on_a_draft_keeps_graph_inputs_and_book(store: Store, account: Account) -> None:
    _, former_id = await ended_call(store, account, DONE)
    former = await store.executions.get(account.id, former_id)

    new_id = await accept_replay(
        store, account, former, http_call(), record_values=RecordValues.NONE
    )

    record = await record_of(store, account, new_id)
    assert (record["source"], record["calls"], record["values"]) == (
        b"replay",
        b"recorded",
        b"none",
    )
    assert (record["slug"].decode(), record["version"]) == (former.workflow_slug, b"")
    assert unpack(record["inputs"]) == {"who": "Ada"}
    assert unpack(record["draft"])["nodes"][1]["data"]["url"] == URL
    assert [each.node_id for each in unpack_book(record["book"]).outcomes] == ["call"]


async def test_a_run_on_a_version_names_it(store: Store, account: Account) -> None:
    _, former_id = await ended_call(store, account, DONE)
    former = await store.executions.get(account.id, former_id)

    new_id = await accept_replay(store, account, former, 1, LIVE)

    record = await record_of(store, account, new_id)
    assert (record["version"], record["calls"]) == (b"1", b"live")
    assert "draft" not in record
    with pytest.raises(VersionNotFound):
        await accept_replay(store, account, former, 9)


async def test_new_fields_get_their_defaults_and_lost_ones_are_left_out(
    store: Store, account: Account
) -> None:
    _, former_id = await ended_call(store, account, DONE)
    former = await store.executions.get(account.id, former_id)
    fields = [{"name": "tone", "label": "Tone", "type": "text", "default": "kind"}]
    graph = Graph().node("in", "requestInput", fields=fields, strict=True)
    graph.node("out", "responseOutput").wire("in.tone > out.result-in")

    new_id = await accept_replay(store, account, former, graph)

    assert unpack((await record_of(store, account, new_id))["inputs"]) == {"tone": "kind"}


async def test_inputs_that_the_version_does_not_take_are_refused(
    store: Store, account: Account
) -> None:
    _, former_id = await ended_call(store, account, DONE)
    former = await store.executions.get(account.id, former_id)
    field = {"name": "more", "label": "More", "type": "text", "required": True}
    graph = Graph().node("in", "requestInput", fields=[field])
    graph.node("out", "responseOutput").wire("in.more > out.result-in")

    with pytest.raises(InvalidInputs):
        await accept_replay(store, account, former, graph)


async def test_a_draft_that_cannot_run_is_refused(store: Store, account: Account) -> None:
    _, former_id = await ended_call(store, account, DONE)
    former = await store.executions.get(account.id, former_id)
    graph = http_call().node("bad", "noSuchType").wire("bad.x > out.result-in")

    with pytest.raises(WorkflowNotRunnable):
        await accept_replay(store, account, former, graph)


async def test_executions_of_others_are_refused(store: Store, account: Account) -> None:
    _, former_id = await ended_call(store, account, DONE)
    former = await store.executions.get(account.id, former_id)
    other = await store.accounts.create(email="other@example.com", tier=Tier.PRO)
    document = parse_document(http_call().body())
    slug = (await store.workflows.create(other.id, document, [])).slug

    with pytest.raises(InvalidBody):
        await accept_replay(store, other, replace(former, workflow_slug=slug), http_call())
