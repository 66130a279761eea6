"""Replay of pure nodes: it gives what their run gave."""

from engine.graph.plan import compile_plan
from engine.graph.replay import replay
from tests.support.factories import Graph, greeting


async def test_a_replay_gives_the_outputs_of_every_node() -> None:
    graph = greeting(2)
    plan = compile_plan(graph.nodes, graph.edges)

    outputs = await replay(plan, {"who": "Ada"})

    found = {plan.nodes[index].id: values for index, values in outputs.items()}
    assert found == {
        "in": {"who": "Ada", "params": {}},
        "t0": {"text-out": "Hello Ada"},
        "t1": {"text-out": "Hello Hello Ada"},
        "out": {"result": {"text": "Hello Hello Ada"}},
    }


async def test_what_a_run_skips_has_no_outputs() -> None:
    graph = greeting().node("aside", "textBox", text="unused")

    outputs = await replay(compile_plan(graph.nodes, graph.edges), {"who": "Ada"})

    assert len(outputs) == 3


async def test_nodes_after_one_that_fails_have_no_outputs() -> None:
    graph = Graph("who")
    graph.node("text", "textBox", text="{{ a.name }}").wire("in.who > text.a")
    graph.node("out", "responseOutput").wire("text.text-out > out.result-in")
    plan = compile_plan(graph.nodes, graph.edges)

    outputs = await replay(plan, {"who": "Ada"})

    assert [plan.nodes[index].id for index in outputs] == ["in"]
