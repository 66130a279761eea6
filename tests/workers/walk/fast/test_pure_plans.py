"""Prepared plans of pure nodes: their walks are those of the plan, node by node."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.executions.rows import NodeRow, StepRows, unpack_rows
from engine.graph.plan import Plan, compile_plan
from engine.graph.replay import replay
from engine.nodes.support.base import Outputs
from engine.store.redis.record_packing import pack, unpack
from tests.engine.values.test_plain import PLAIN
from tests.support.factories import Graph, greeting, http_fan
from workers.walk.fast.pure_plans import PurePlan

LARGE = 10_000_000
OUTPUTS = {"textBox": ["text-out"], "list": ["items-out"], "merge": ["value-out"]}
TEXTS = st.text("ab%s}é☃ ", max_size=8)
PATHS = st.sampled_from(["", "", ".a", "[0]", ".a[1]"])
# Strategies are made once: made anew for each choice, they took most of the time, and Hypothesis
# reports a test that reaches its time-out in the middle of an example as a flaky one.
PLACES = st.integers(0, 63)
COUNTS = st.integers(1, 3)
SIZES = st.integers(0, 8)
KINDS = st.sampled_from(["textBox", "textBox", "list", "merge"])
VARIABLES = st.lists(st.sampled_from("xyz"), max_size=4)


def plan_of(graph: Graph) -> Plan:
    return compile_plan(graph.nodes, graph.edges)


def pure_plan_of(plan: Plan) -> PurePlan:
    found = PurePlan.prepare(plan)
    assert found is not None
    return found


def walk(graph: Graph, inputs: Mapping[str, Any], max_bytes: int = LARGE) -> Any:
    """Return the result of a walk; None when it needs a claim."""
    result = pure_plan_of(plan_of(graph)).walk(pack(inputs), max_bytes)
    return None if result is None else unpack(result)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of texts, lists and merges, some of which lead to no output."""
    graph = Graph().node(
        "in",
        "requestInput",
        fields=[
            {"name": "who", "label": "Who", "type": "text"},
            {"name": "a", "label": "A", "type": "number"},
        ],
    )
    outputs = ["in.who", "in.params"]

    def source() -> str:
        return outputs[draw(PLACES) % len(outputs)]

    def sources() -> list[str]:
        return list(dict.fromkeys(source() for _ in range(draw(COUNTS))))

    for number in range(draw(SIZES)):
        kind, node_id = draw(KINDS), f"n{number}"
        if kind == "textBox":
            names = draw(VARIABLES)
            places = [f"{{{{ {name}{draw(PATHS)} }}}}" for name in names]
            text = draw(TEXTS) + "".join(place + draw(TEXTS) for place in places)
            graph.node(node_id, kind, text=text)
            graph.wire(*(f"{source()} > {node_id}.{name}" for name in dict.fromkeys(names)))
        else:
            socket = "items-in" if kind == "list" else "value-in"
            graph.node(node_id, kind, **draw(SETTINGS[kind]))
            graph.wire(*(f"{each} > {node_id}.{socket}" for each in sources()))
        outputs += [f"{node_id}.{output}" for output in OUTPUTS[kind]]
    taken = sources()
    if draw(st.booleans()):
        graph.node("out", "responseOutput")
        return graph.wire(*(f"{each} > out.result-in" for each in taken))
    graph.node("out", "responseOutput", fields=[{"name": "one"}, {"name": "two"}])
    return graph.wire(*(f"{each} > out.{draw(NAMES)}" for each in taken))


NAMES = st.sampled_from(["one", "two"])
ITEMS = st.lists(st.integers(0, 9).map(lambda value: {"value": value}), max_size=2)
SETTINGS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "merge": st.sampled_from([{"mode": "first"}, {"mode": "all"}]),
    "list": st.fixed_dictionaries({"items": ITEMS, "mode": st.sampled_from(["keep", "replace"])}),
}


INPUTS = st.dictionaries(st.sampled_from(["who", "a", "other"]), st.text() | PLAIN)


def replayed(plan: Plan, inputs: Mapping[str, Any]) -> dict[int, Outputs] | None:
    """Return the outputs of all nodes in order; None when one fails."""
    with pytest.raises(StopIteration) as end:  # pure nodes wait for nothing
        replay(plan, inputs).send(None)
    outputs: dict[int, Outputs] = end.value.value
    return outputs if set(outputs) == plan.reachable else None


@settings(deadline=None, max_examples=60)
@given(graph=graphs(), inputs=INPUTS)
def test_a_walk_is_that_of_the_plan_node_by_node(graph: Graph, inputs: dict[str, Any]) -> None:
    plan = plan_of(graph)
    outputs = replayed(plan, inputs)

    result = pure_plan_of(plan).walk(pack(inputs), LARGE)

    output = plan.response_output
    assert output is not None
    assert result == (None if outputs is None else pack(outputs[output]["result"]))
    if outputs is not None:
        assert unpack_rows(pure_plan_of(plan).rows) == StepRows(
            [NodeRow(at, 1, 0, 0) for at in outputs]
        )
        codes = ["c" if node.index in outputs else "s" for node in plan.nodes]
        assert pure_plan_of(plan).codes == "".join(codes)


@settings(deadline=None, max_examples=60)
@given(graph=graphs(), inputs=INPUTS, max_bytes=st.integers(1, 400))
def test_a_walk_stays_within_its_limit(
    graph: Graph, inputs: dict[str, Any], max_bytes: int
) -> None:
    plan = plan_of(graph)
    outputs = replayed(plan, inputs)

    result = pure_plan_of(plan).walk(pack(inputs), max_bytes)

    sizes = {index: len(pack(values)) for index, values in (outputs or {}).items()}
    taken = [[sizes.get(e.source, 0) for e in plan.nodes[at].in_edges] for at in sizes]
    if max(sum(sizes.values()), *map(sum, taken), 0) > max_bytes:
        assert result is None
    elif outputs is not None and result is None:
        estimate = sum(sizes.values()) + 16 * len(sizes) + len(pack(inputs)) + 32
        assert 4 * estimate > max_bytes  # at most four values are taken at once


async def test_a_repeated_placeholder_counts_as_often_as_it_stands() -> None:
    graph = Graph("who").node("t", "textBox", text="{{a}}" * 100).wire("in.who > t.a")
    graph.node("out", "responseOutput").wire("t.text-out > out.result-in")

    assert walk(graph, {"who": "x" * 100}, 25_000) == {"text": "x" * 10_000}
    assert walk(graph, {"who": "x" * 100}, 15_000) is None
    assert walk(graph, {"who": "x" * 100}, 5_000) is None


@pytest.mark.parametrize(
    ("text", "inputs", "result"),
    [
        ("100 % of {{a}}, %s", {"who": "Ada"}, "100 % of Ada, %s"),
        ("nothing", {"who": "Ada"}, "nothing"),
        ("{{a}}{{a}}", {"who": "é"}, "éé"),
        ("{{a}}", {"who": None}, ""),
        ("{{a}}", {}, ""),
        ("{{a}} {{a.b}}", {"who": {"b": [1, "x"]}}, '{"b":[1,"x"]} [1,"x"]'),
    ],
)
def test_texts_are_filled_as_elsewhere(text: str, inputs: dict[str, Any], result: str) -> None:
    graph = Graph("who").node("t", "textBox", text=text)
    if "{{a" in text:
        graph.wire("in.who > t.a")
    graph.node("out", "responseOutput").wire("t.text-out > out.result-in")

    assert walk(graph, inputs) == {"text": result}


def test_a_plan_keeps_what_was_prepared() -> None:
    plan = plan_of(greeting())

    assert PurePlan.prepare(plan) is PurePlan.prepare(plan)


def test_a_plan_with_effects_is_not_prepared() -> None:
    assert PurePlan.prepare(plan_of(http_fan("https://example.com/", 1))) is None


def test_a_plan_with_an_edge_for_an_error_needs_a_claim() -> None:
    graph = greeting().node("none", "textBox", text="{{ a }}")
    graph.wire("t0.error-out > none.a", "none.text-out > out.result-in")

    assert PurePlan.prepare(plan_of(graph)) is None
