"""Executions of drafts end on the graph that they began with, whoever walks them."""

import os
import signal
from collections.abc import AsyncIterator

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_models
from engine.services.workflows.drafts import discard_draft, publish_draft
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_line
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.http.scripted_server import Target
from tests.support.manifests import model
from tests.support.media.object_files import outputs_of
from tests.support.workers.draft_runs import FREE, accept_draft, drafted, write
from tests.support.workers.held_walker import WORKER, HeldWalker
from tests.support.workers.paying_account import PRICE, PayingAccount, PlainPool
from tests.support.workers.worker_process import WorkerProcess, worker_processes


async def changed(store: Store, account: Account, slug: str, how: str) -> None:
    """Change the draft while an execution of it runs."""
    if how == "written":
        await write(store, account, slug, FREE)
    elif how == "published":
        await publish_draft(store, account.id, slug, note=None, force=True, checker=ANY_URL)
    elif how == "discarded":
        await discard_draft(store, account.id, slug, None)
    else:
        await store.workflows.delete(account.id, slug)


def calls(url: str) -> Graph:
    return http_line(url, 2)


@pytest.mark.parametrize("how", ["written", "published", "discarded", "deleted"])
async def test_a_run_of_a_draft_ends_on_it_after_its_worker_is_gone(
    runner: Runner, held_walker: HeldWalker, how: str
) -> None:
    store, account = runner.store, runner.account
    slug = await drafted(store, account, calls("https://example.com/"))
    channel = runner.notifier.channel
    execution_id = await accept_draft(store, account, slug, notifier=channel)
    reference = keyspace.reference(account.id, execution_id)
    held_walker.walker.take_hint(reference)
    await held_walker.gate.called(1)

    await changed(store, account, slug, how)
    await store.walks.give_back(reference, WORKER, is_lost=True)
    other = HeldWalker(store, worker_id="worker-2")
    other.gate.opened.set()
    other.walker.take_hint(reference)
    execution = await runner.end(execution_id)
    await other.walker.drain(0)

    assert (execution.status, execution.result) == (ExecutionStatus.COMPLETED, "done")
    names = await store.executions.node_names(account.id, execution_id)
    assert [name.id for name in names] == ["h0", "h1", "out"]


@pytest.fixture
async def workers(redis_url: str, store: Store) -> AsyncIterator[list[WorkerProcess]]:
    """Two worker processes with live heartbeats."""
    async with worker_processes(redis_url, 2, HEADRACE_LEASE_SECONDS="1") as processes:
        await eventually(store.leases.workers, lambda found: len(found) == 2)
        yield processes


@pytest.mark.usefixtures("workers")
async def test_a_run_of_a_draft_ends_on_it_though_its_worker_is_killed(
    runner: Runner, target: Target
) -> None:
    """Pinned outputs are used by the next worker too, and the node with them never runs."""
    store, account = runner.store, runner.account
    graph = http_line(f"{target.url}/slow/0.4", 3)
    slug = await drafted(store, account, graph)
    pinned = {"h0": {"response-out": {"pinned": 1}}}
    execution_id = await accept_draft(store, account, slug, pinned=pinned)
    await store.hints.send([keyspace.reference(account.id, execution_id)])

    async def called() -> int:
        return target.calls["/slow/0.4?n=1"]

    await eventually(called)
    [holder] = [name for name in await store.leases.workers() if await store.leases.held(name)]
    os.kill(int(holder.split("-")[-2]), signal.SIGKILL)
    await discard_draft(store, account.id, slug, None)
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert [target.calls[f"/slow/0.4?n={n}"] for n in range(3)] == [0, 2, 1]
    assert [node.attempts for node in execution.nodes] == [0, 2, 1, 1]


def large() -> Graph:
    """A graph that is too large for the record."""
    graph = Graph().node("t", "textBox", text="Hello").node("out", "responseOutput")
    for number in range(2):
        graph.node(f"n{number}", "note", text="x" * 200_000)
    return graph.wire("t.text-out > out.result-in")


async def walked(runner: Runner, held_walker: HeldWalker, execution_id: str) -> Execution:
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    return await runner.end(execution_id)


async def test_a_large_graph_is_an_object_of_its_execution(
    settings: Settings, runner: Runner, held_walker: HeldWalker
) -> None:
    slug = await drafted(runner.store, runner.account, large())
    channel = runner.notifier.channel
    execution_id = await accept_draft(runner.store, runner.account, slug, notifier=channel)
    record = await runner.store.walks.records(runner.account.id, execution_id)

    execution = await walked(runner, held_walker, execution_id)

    assert execution.result == {"text": "Hello"}
    assert len(record["draft"]) < 100
    assert len(outputs_of(settings, runner.account.id, execution_id)) == 1


async def test_a_run_whose_graph_is_gone_fails(
    settings: Settings, runner: Runner, held_walker: HeldWalker
) -> None:
    slug = await drafted(runner.store, runner.account, large())
    channel = runner.notifier.channel
    execution_id = await accept_draft(runner.store, runner.account, slug, notifier=channel)
    await runner.store.offloaded.remove(runner.account.id, execution_id)

    execution = await walked(runner, held_walker, execution_id)

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert "draft of this execution is not there" in execution.error["message"]


async def test_a_model_that_goes_meanwhile_fails_its_node(payer: PayingAccount) -> None:
    store, account = payer.store, payer.account
    await store.wallets.top_up(account.id, payer.terms, 1_000)
    graph = Graph().node("m", "customModel", model="own", prompt="x")
    graph.node("out", "responseOutput").wire("m.text-out > out.result-in")
    slug = await drafted(store, account, graph)
    with use_models([model()]):
        execution_id = await accept_draft(store, account, slug)

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert execution.error is not None
    assert (execution.error["nodeCode"], execution.error["nodeId"]) == ("model_gone", "m")


async def test_a_pinned_model_costs_nothing(payer: PayingAccount) -> None:
    store, account = payer.store, payer.account
    await store.wallets.top_up(account.id, payer.terms, 1_000)
    graph = Graph()
    for name in ("one", "two"):
        graph.node(name, "assistant", model="echo", prompt=name)
    graph.node("out", "responseOutput").wire("one.text-out > two.prompt-in")
    graph.wire("two.text-out > out.result-in")
    slug = await drafted(store, account, graph)
    execution_id = await accept_draft(store, account, slug, pinned={"one": {"text-out": "pinned"}})

    payer.held_walker.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)

    assert payer.models.calls == ["pinned"]
    assert execution.credits_cost == PRICE
    assert [(node.attempts, node.credits_cost) for node in execution.nodes] == [
        (0, 0),
        (1, PRICE),
        (1, 0),
    ]


async def test_the_result_of_one_node_survives_its_worker(payer: PayingAccount) -> None:
    store, account = payer.store, payer.account
    graph = Graph().node("t", "textBox", text="Hello").node("u", "textBox", text="{{ a }}!")
    graph.node("out", "responseOutput").wire("t.text-out > u.a", "u.text-out > out.result-in")
    slug = await drafted(store, account, graph)
    execution_id = await accept_draft(
        store, account, slug, only="u", pinned={"t": {"text-out": "Pinned"}}
    )
    other = HeldWalker(store, PlainPool(), worker_id="worker-2")

    other.walker.take_hint(payer.reference(execution_id))
    execution = await payer.end(execution_id)
    await other.walker.drain(0)

    assert execution.result == {"text-out": "Pinned!"}
