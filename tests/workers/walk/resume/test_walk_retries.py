"""Retries: which executions can be retried, and the state that a retry begins with."""

import asyncio

import pytest

from engine.errors import ExecutionNotFound, ExecutionNotRetryable, VersionNotFound
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.document import parse_document
from engine.models.registry import use_models
from engine.services.runs.retries import FailedExecution
from engine.store import AlreadyRetried
from engine.store.executions.record_fields import parse_answer_batches, parse_rows
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack, unpack
from tests.support.factories import Graph
from tests.support.manifests import model
from tests.support.store.records import NotAccepted, document
from tests.support.workers.paying_account import PRICE, PayingAccount, answer, fan, model_node
from tests.support.workers.retried_runs import accept_retry, media_service, retry


async def record(payer: PayingAccount, execution_id: str) -> dict[str, bytes]:
    return await payer.store.walks.records(payer.account.id, execution_id)


def one_after_the_other() -> Graph:
    graph = model_node(Graph(), "first")
    graph.node("second", "assistant", model="echo", prompt="second {{ a }}")
    return answer(graph.wire("first.text-out > second.a"), "second")


async def failed(payer: PayingAccount, graph: Graph, **failures: int) -> str:
    """Run a graph whose calls with these prompts fail this often; return the execution's id."""
    payer.models.failures = dict(failures)
    execution = await payer.run(graph)
    assert execution.status is ExecutionStatus.FAILED
    return execution.id


async def test_a_completed_node_is_seeded_and_not_charged_again(payer: PayingAccount) -> None:
    first = await failed(payer, one_after_the_other(), **{"second <first>": 1})

    execution = await retry(payer, first)

    assert execution.status is ExecutionStatus.COMPLETED
    assert payer.models.calls == ["first", "second <first>", "second <first>"]
    assert execution.credits_cost == PRICE
    assert await payer.paid(2 * PRICE)
    assert execution.retry_of == first
    assert [(node.status, node.attempts) for node in execution.nodes] == [
        (NodeStatus.COMPLETED, 0),
        (NodeStatus.COMPLETED, 1),
        (NodeStatus.COMPLETED, 1),
    ]


async def test_the_estimate_of_a_retry_is_that_of_the_nodes_that_run(
    payer: PayingAccount,
) -> None:
    payer.allow(2 * PRICE)
    first = await failed(payer, one_after_the_other(), **{"second <first>": 1})

    execution = await retry(payer, first)  # the balance is enough for one call alone

    assert execution.status is ExecutionStatus.COMPLETED
    assert await payer.paid(2 * PRICE)


async def test_answers_for_items_are_taken_over(payer: PayingAccount) -> None:
    first = await failed(payer, answer(fan(Graph(), "many", 6), "many"), many3=1)
    assert parse_answer_batches(await record(payer, first))

    execution = await retry(payer, first)

    assert execution.status is ExecutionStatus.COMPLETED
    assert sorted(payer.models.calls) == sorted([*(f"many{n}" for n in range(6)), "many3"])
    assert execution.credits_cost == 6 * PRICE
    assert await payer.paid(6 * PRICE)
    assert not parse_answer_batches(await record(payer, execution.id))


async def test_answers_are_taken_over_by_the_retry_of_a_retry(payer: PayingAccount) -> None:
    first = await failed(payer, answer(fan(Graph(), "many", 6), "many"), many3=2)
    second = await retry(payer, first)
    assert second.status is ExecutionStatus.FAILED

    third = await retry(payer, second.id)

    assert third.status is ExecutionStatus.COMPLETED
    assert len(payer.models.calls) == 8
    assert await payer.paid(6 * PRICE)


async def test_jobs_at_providers_are_taken_over(payer: PayingAccount) -> None:
    """The checkpoint of the node that failed is found by the node that runs again."""
    first = await failed(payer, answer(model_node(Graph(), "job"), "job"), job=1)
    key = keyspace.execution(payer.account.id, first)
    job = {"model": "echo", "id": "7", "round": 1}
    await payer.store.client.send("HSET", key, "j0.0", pack(job))

    found = await record(payer, await accept_retry(payer, first))

    assert unpack(found["j0.0"]) == job
    assert found["origin"].decode() == first


async def test_a_retry_and_its_retries_call_providers_with_the_same_keys(
    payer: PayingAccount,
) -> None:
    first = await failed(payer, answer(model_node(Graph(), "job"), "job"), job=2)
    second = await retry(payer, first)

    third = await accept_retry(payer, second.id)

    assert (await record(payer, third))["origin"].decode() == first


async def test_a_failed_node_whose_end_was_used_stays_failed(payer: PayingAccount) -> None:
    """Its dependent has completed without it, and is not paid for twice."""
    graph = model_node(Graph(), "lost", onError="continue")
    graph.node("used", "assistant", model="echo", prompt="used {{ a }}")
    graph.node("last", "assistant", model="echo", prompt="last {{ a }}")
    graph.wire("lost.text-out > used.a", "used.text-out > last.a")
    first = await failed(payer, answer(graph, "last"), lost=1, **{"last <used >": 1})

    execution = await retry(payer, first)

    assert [node.status for node in execution.nodes][:2] == [
        NodeStatus.FAILED,
        NodeStatus.COMPLETED,
    ]
    assert payer.models.calls.count("lost") == 1
    assert execution.nodes[0].error is not None
    assert execution.credits_cost == PRICE


@pytest.mark.parametrize("is_fallback", [True, False])
async def test_what_a_failed_node_gave_is_given_again(
    payer: PayingAccount, is_fallback: bool
) -> None:
    """The node stays failed, and nodes that had not run yet get the same from it."""
    ways = {"onError": "fallback", "fallback": {"text-out": "instead"}} if is_fallback else {}
    output = "text-out" if is_fallback else "error-out"
    graph = model_node(Graph(), "lost", **ways)
    graph.node("used", "assistant", model="echo", prompt="used {{ a }}")
    graph.node("last", "assistant", model="echo", prompt="last {{ a }} {{ b }}")
    graph.wire(f"lost.{output} > used.a", f"lost.{output} > last.a", "used.text-out > last.b")
    error = (
        '{"code":"provider_error","message":"The provider is busy","nodeId":"lost","attempts":1}'
    )
    given = "instead" if is_fallback else error
    prompt = f"last {given} <used {given}>"
    first = await failed(payer, answer(graph, "last"), lost=1, **{prompt: 1})

    execution = await retry(payer, first)

    assert execution.result == {"text": f"<{prompt}>"}
    assert payer.models.calls == ["lost", f"used {given}", prompt, prompt]
    assert execution.credits_cost == PRICE


async def test_a_failed_node_whose_end_nobody_used_runs_again(payer: PayingAccount) -> None:
    graph = model_node(Graph(), "lost", onError="continue")
    graph.node("last", "assistant", model="echo", prompt="last {{ a }}")
    graph.wire("lost.text-out > last.a")
    first = await failed(payer, answer(graph, "last"), lost=1, **{"last ": 1})

    execution = await retry(payer, first)

    assert payer.models.calls == ["lost", "last ", "lost", "last <lost>"]
    assert execution.credits_cost == 2 * PRICE


async def test_branches_that_were_not_taken_are_skipped_again(payer: PayingAccount) -> None:
    graph = Graph().node("if", "condition", expression="true")
    graph.node("t", "textBox", text="x").wire("t.text-out > if.value-in")
    for name in ("yes", "no"):
        graph.node(name, "assistant", model="echo", prompt=name + " {{ a }}")
    graph.wire("if.true-out > yes.a", "if.false-out > no.a")
    first = await failed(payer, answer(graph, "yes", "no"), **{"yes x": 1})

    execution = await retry(payer, first)

    assert execution.result == {"text": "<yes x>"}
    assert payer.models.calls == ["yes x", "yes x"]


async def test_a_retry_that_was_cancelled_may_be_followed_by_another(
    payer: PayingAccount,
) -> None:
    first = await failed(payer, answer(model_node(Graph(), "job"), "job"), job=1)
    second = await accept_retry(payer, first)
    with pytest.raises(NotAccepted) as refusal:
        await accept_retry(payer, first)
    assert refusal.value.verdict == AlreadyRetried(second)

    await payer.store.executions.cancel(payer.account.id, second)
    third = await accept_retry(payer, first)

    assert third not in (first, second)
    assert (await record(payer, first))["retry"].decode() == third


async def test_of_retries_that_found_the_same_failure_one_begins(payer: PayingAccount) -> None:
    first = await failed(payer, answer(model_node(Graph(), "job"), "job"), job=1)

    found = await asyncio.gather(
        *(accept_retry(payer, first) for _ in range(5)), return_exceptions=True
    )

    begun = [each for each in found if isinstance(each, str)]
    refused = [each.verdict for each in found if isinstance(each, NotAccepted)]
    assert (len(begun), refused) == (1, [AlreadyRetried(begun[0])] * 4)


async def test_values_that_were_not_recorded_forbid_a_retry(payer: PayingAccount) -> None:
    payer.models.failures = {"many3": 1}
    graph = answer(fan(Graph(), "many", 6), "many")
    body = parse_document(graph.body() | {"recordValues": "none"})
    slug = (await payer.store.workflows.create(payer.account.id, body, [])).slug
    first = await payer.runner.begin(slug, terms=payer.terms)
    payer.held_walker.walker.take_hint(payer.reference(first))
    assert (await payer.end(first)).status is ExecutionStatus.FAILED

    with pytest.raises(ExecutionNotRetryable) as refusal:
        await accept_retry(payer, first)

    assert "not recorded" in refusal.value.context["reason"]
    assert not parse_answer_batches(await record(payer, first))


async def test_a_version_that_is_gone_forbids_a_retry(payer: PayingAccount) -> None:
    first = await failed(payer, answer(model_node(Graph(), "job"), "job"), job=1)
    slug = (await record(payer, first))["slug"].decode()
    await payer.store.workflows.update(payer.account.id, slug, document(), [])
    await payer.store.client.send("HDEL", keyspace.workflow(payer.account.id, slug), "d1")

    with pytest.raises((ExecutionNotRetryable, VersionNotFound)):
        await accept_retry(payer, first)


async def test_a_model_that_is_gone_forbids_a_retry(payer: PayingAccount) -> None:
    graph = Graph().node("m", "customModel", model="own", prompt="m")
    with use_models([model()]):
        first = await failed(payer, answer(graph, "m"), m=1)

    with pytest.raises(ExecutionNotRetryable):
        await accept_retry(payer, first)


async def test_executions_of_others_are_not_found(payer: PayingAccount) -> None:
    first = await failed(payer, answer(model_node(Graph(), "job"), "job"), job=1)
    other = await payer.store.accounts.create(email="eve@example.org", tier=payer.account.tier)

    with pytest.raises(ExecutionNotFound):
        await FailedExecution.read(payer.store, media_service(payer.store), other.id, first)


async def test_large_outputs_become_objects_of_the_retry(payer: PayingAccount) -> None:
    graph = Graph().node("t", "textBox", text="x" * 90_000)
    graph.node("large", "textBox", text="{{ a }}{{ a }}{{ a }}").wire("t.text-out > large.a")
    graph.node("size", "transform", expression="size(value)").wire("large.text-out > size.value-in")
    graph.node("m", "assistant", model="echo", prompt="m {{ a }}").wire("size.value-out > m.a")
    graph.node("out", "responseOutput", fields=[{"name": "text"}, {"name": "model"}])
    graph.wire("large.text-out > out.text", "m.text-out > out.model")
    first = await failed(payer, graph, **{"m 270000": 1})

    second = await accept_retry(payer, first)
    await payer.store.offloaded.remove(payer.account.id, first)
    payer.held_walker.walker.take_hint(payer.reference(second))

    assert (await payer.end(second)).result == {"text": "x" * 270_000, "model": "<m 270000>"}
    entries = [row.outputs for row in parse_rows(await record(payer, second)).values()]
    assert any(isinstance(entry, str) and entry.startswith("seed-") for entry in entries)
