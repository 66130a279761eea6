"""Values and attempts of nodes, as `read_node` finds them after and during real walks."""

import pytest

from engine.errors import NodeNotFound, ResultUnreadable
from engine.executions.statuses import NodeStatus
from engine.services.runs.node_values import NodeValues, read_inputs, read_node
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.read.attempts import LOST_ERROR
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting, http_line
from tests.support.http.scripted_server import Target
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.workers.held_walker import HeldWalker, begin_waiting
from workers.walk.walker import Walker

LARGE = "x" * 300_000


async def node_of(runner: Runner, execution_id: str, node_id: str) -> NodeValues:
    return await read_node(runner.store, runner.account.id, execution_id, node_id)


def evaluated() -> Graph:
    """A form, an expression and an output: a run that is claimed and recorded."""
    graph = Graph("who").node("sum", "transform", expression="{'who': value, 'n': 7}")
    graph.wire("in.who > sum.value-in").node("text", "textBox", text="{{ a.who }}{{ a.n }}")
    graph.wire("sum.value-out > text.a").node("out", "responseOutput")
    return graph.wire("text.text-out > out.result-in")


def measured() -> Graph:
    """A form, an expression that makes its text longer, and the length of that."""
    graph = Graph("who").node("sum", "transform", expression="value + 'y'")
    graph.wire("in.who > sum.value-in").node("size", "transform", expression="size(value)")
    graph.wire("sum.value-out > size.value-in").node("out", "responseOutput")
    return graph.wire("size.value-out > out.result-in")


async def test_each_node_of_a_run_shows_what_it_got_and_gave(
    runner: Runner, walker: Walker
) -> None:
    execution = await runner.run(evaluated(), {"who": "Ada"})

    found = {name: await node_of(runner, execution.id, name) for name in ("in", "sum", "text")}
    output = await node_of(runner, execution.id, "out")

    assert found["in"].inputs == {}
    assert found["in"].outputs == {"who": "Ada", "params": {}}
    assert found["sum"].inputs == {"value-in": "Ada"}
    assert found["sum"].outputs == {"value-out": {"who": "Ada", "n": 7}}
    assert found["text"].inputs == {"a": {"who": "Ada", "n": 7}}
    assert (output.inputs, output.outputs) == (
        {"result-in": ["Ada7"]},
        {"result": {"text": "Ada7"}},
    )
    for each in (*found.values(), output):
        (attempt,) = each.attempts.attempts
        assert each.is_recorded
        assert attempt.worker is not None
        assert attempt.ended_at is not None
        assert (attempt.number, attempt.error, each.attempts.waited_ms) == (1, None, 0)
        assert execution.created_at <= attempt.started_at <= attempt.ended_at


@pytest.mark.usefixtures("brisk_sweeper")
async def test_attempts_of_a_retried_node_show_errors_pauses_and_worker(
    runner: Runner, walker: Walker, target: Target
) -> None:
    graph = http_line(f"{target.url}/flaky/2", 1, retry={"attempts": 3, "backoff": 0.05})
    execution = await runner.run(graph)

    found = await node_of(runner, execution.id, "h0")

    first, second, third = found.attempts.attempts
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert first.error is not None
    assert second.error is not None
    assert third.error is None
    assert first.error["code"] == second.error["code"]
    assert third.ended_at is not None
    assert third.started_at is not None
    assert {first.worker, second.worker, third.worker} == {first.worker}
    assert found.attempts.waited_ms >= 2 * 40
    assert found.node.attempts == 3
    assert found.node.duration_ms == third.ended_at - third.started_at


async def test_a_node_shows_what_is_there_while_it_runs(
    runner: Runner, walker: Walker, target: Target
) -> None:
    slug = await runner.save(http_line(f"{target.url}/slow/0.4", 2))
    execution_id = await runner.begin(slug)

    async def second() -> NodeValues:
        return await node_of(runner, execution_id, "h1")

    found = await eventually(second, lambda each: each.node.status is NodeStatus.RUNNING)
    later = await node_of(runner, execution_id, "out")

    assert found.inputs == {"body-in": {"n": 0, "kind": "slow"}}
    assert found.outputs is None
    (attempt,) = found.attempts.attempts
    assert (attempt.number, attempt.ended_at) == (1, None)
    assert (later.inputs, later.outputs, later.attempts.attempts) == ({}, None, ())
    await runner.end(execution_id)


async def test_a_skipped_node_has_no_attempt(runner: Runner, walker: Walker) -> None:
    graph = evaluated().node("aside", "textBox", text="unused")
    execution = await runner.run(graph, {"who": "Ada"})

    found = await node_of(runner, execution.id, "aside")

    assert found.node.status is NodeStatus.SKIPPED
    assert (found.inputs, found.outputs, found.attempts.attempts) == ({}, None, ())


async def test_a_node_that_is_not_there_is_not_found(runner: Runner, walker: Walker) -> None:
    execution = await runner.run(greeting(), {"who": "Ada"})

    with pytest.raises(NodeNotFound):
        await node_of(runner, execution.id, "nobody")


async def test_large_values_are_read_from_the_blob_store_once_there_is_memory(
    runner: Runner, walker: Walker
) -> None:
    execution = await runner.run(measured(), {"who": LARGE})
    reserved: list[int] = []

    async def reserve(size: int) -> None:
        reserved.append(size)

    ids = runner.account.id, execution.id
    found = await read_node(runner.store, *ids, "sum", reserve)
    inputs = await read_inputs(runner.store, *ids, reserve)

    assert found.inputs == {"value-in": LARGE}
    assert found.outputs == {"value-out": LARGE + "y"}
    assert inputs.inputs == {"who": LARGE}
    assert len(reserved) == 3
    assert 300_000 < reserved[0] == reserved[2] < reserved[1]


async def test_many_wires_to_one_large_value_do_not_fill_the_memory(
    runner: Runner, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = measured().node("all", "merge", mode="all")
    graph.wire(*["sum.value-out > all.value-in"] * 3, "all.value-out > out.result-in")
    execution = await runner.run(graph, {"who": LARGE})
    reserved: list[int] = []

    async def reserve(size: int) -> None:
        reserved.append(size)

    ids = runner.account.id, execution.id, "all"
    found = await read_node(runner.store, *ids, reserve)
    monkeypatch.setattr("engine.services.runs.node_values.MAX_INPUTS_BYTES", 3 * len(LARGE))
    more = await read_node(runner.store, *ids, reserve)

    assert found.inputs == {"value-in": [LARGE + "y"] * 3}
    assert found.bytes > 3 * len(LARGE)
    assert max(reserved) > 3 * len(LARGE)
    assert more.inputs is None
    assert more.is_recorded


async def test_values_that_cannot_be_read_are_refused_and_those_that_are_gone_left_out(
    runner: Runner, walker: Walker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_pauses(monkeypatch)
    execution = await runner.run(measured(), {"who": LARGE})
    assert execution.result == 300_001
    blob_store = use(runner.store, Faulty(settings.media_url, failures=100))

    with pytest.raises(ResultUnreadable):
        await node_of(runner, execution.id, "size")

    blob_store.left = 0
    await runner.store.offloaded.remove(runner.account.id, execution.id)
    found = await node_of(runner, execution.id, "size")
    assert (found.inputs, found.outputs) == ({}, {"value-out": 300_001})


async def test_an_attempt_whose_worker_died_says_so(store: Store, runner: Runner) -> None:
    dying, living = HeldWalker(store, worker_id="w-1"), HeldWalker(store, worker_id="w-2")
    reference = await begin_waiting(runner, dying)
    await store.walks.give_back(reference, "w-1", is_lost=True)

    living.gate.opened.set()
    living.walker.take_hint(reference)
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    found = await node_of(runner, execution.id, "h0")
    lost, last = found.attempts.attempts
    assert (lost.worker, lost.error) == ("w-1", LOST_ERROR)
    assert lost.started_at <= (lost.ended_at or 0) <= last.started_at
    assert (last.number, last.worker, last.error) == (2, "w-2", None)
    assert found.attempts.waited_ms == 0
    await dying.walker.drain(0)
    await living.walker.drain(0)
