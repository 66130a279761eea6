"""In any order of settling, each reachable node is run or skipped exactly once."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.executions.statuses import NODE_TERMINAL, NodeStatus, parse_node_statuses
from engine.graph.plan import Node, Plan
from engine.graph.progress import Progress
from engine.nodes import node_type
from engine.nodes.support.base import InEdge, Outputs
from engine.nodes.support.policy import Policy
from engine.values.sockets import SocketType

PENDING, SKIPPED = NodeStatus.PENDING, NodeStatus.SKIPPED
COMPLETED, FAILED = NodeStatus.COMPLETED, NodeStatus.FAILED
TEXT_BOX = node_type("textBox")
OUTPUTS = ("a", "b")
SHARED, OTHER = "in", "other"
"""Sockets for many wires: two wires of three lead to the first, the third to the second."""
Edge = tuple[int, int, str]


def make_plan(count: int, edges: list[Edge], output: int, many: frozenset[str]) -> Plan:
    """Return a plan of `count` nodes; an edge is (source, target, output of the source)."""
    assert TEXT_BOX is not None
    in_edges: dict[int, list[InEdge]] = {}
    shape: networkx.DiGraph[int] = networkx.DiGraph()
    shape.add_nodes_from(range(count))
    for source, target, name in edges:
        socket = SHARED if many else f"in{len(in_edges.get(target, ()))}"
        if many and len(in_edges.get(target, ())) % 3 == 2:
            socket = OTHER
        wire = InEdge(socket=socket, source=source, output=name, type=SocketType.ANY)
        in_edges.setdefault(target, []).append(wire)
        shape.add_edge(source, target)
    nodes = tuple(
        Node(
            index=index,
            id=f"n{index}",
            type=TEXT_BOX,
            settings=None,
            policy=Policy(),
            in_edges=tuple(in_edges.get(index, ())),
            many=many,
            dependencies=tuple(sorted(shape.predecessors(index))),
            dependents=tuple(sorted(shape.successors(index))),
        )
        for index in range(count)
    )
    return Plan(
        nodes=nodes,
        request_input=None,
        response_output=output,
        reachable=frozenset({output} | networkx.ancestors(shape, output)),
        fields=(),
        strict_inputs=False,
        values={},
        is_pure=True,
    )


@dataclass
class Case:
    """Plan, and the outputs of each node, or None for a failure that delivers nulls."""

    plan: Plan
    behaviours: list[Outputs | None]
    broken: frozenset[int]
    """Nodes that fail and have outputs."""
    seed: int

    def end_of(self, index: int) -> NodeStatus:
        fails = self.behaviours[index] is None or index in self.broken
        return FAILED if fails else COMPLETED

    @property
    def start(self) -> list[NodeStatus]:
        return [PENDING if n.index in self.plan.reachable else SKIPPED for n in self.plan.nodes]

    def oracle(self) -> tuple[NodeStatus, ...]:
        """Return the final statuses by the contract, equal for all orders."""
        codes = self.start
        shape: networkx.DiGraph[int] = networkx.DiGraph()
        shape.add_nodes_from(self.plan.reachable)
        shape.add_edges_from((s, n.index) for n in self.plan.nodes for s in n.dependencies)
        for index in networkx.topological_sort(shape.subgraph(self.plan.reachable)):
            in_edges = self.plan.nodes[index].in_edges
            wired = {wire.socket for wire in in_edges}
            served = {w.socket for w in in_edges if self.delivers(codes[w.source], w)}
            if served != wired and index != self.plan.response_output:
                codes[index] = SKIPPED
            else:
                codes[index] = self.end_of(index)
        return tuple(codes)

    def delivers(self, status: NodeStatus, wire: InEdge) -> bool:
        outputs = self.behaviours[wire.source]
        return status in (COMPLETED, FAILED) and (outputs is None or wire.output in outputs)

    def value_of(self, wire: InEdge) -> str | None:
        return None if self.behaviours[wire.source] is None else "v"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 14))
    pairs = [(s, t, o) for t in range(count) for s in range(t) for o in OUTPUTS]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=3 * count, unique=True)) if pairs else []
    behaviour = st.one_of(
        st.none(), st.sets(st.sampled_from(OUTPUTS)).map(lambda names: dict.fromkeys(names, "v"))
    )
    behaviours = draw(st.lists(behaviour, min_size=count, max_size=count))
    many = draw(st.sampled_from([frozenset[str](), frozenset({SHARED, OTHER})]))
    broken = draw(st.frozensets(st.integers(0, count - 1)))
    return Case(make_plan(count, edges, count - 1, many), behaviours, broken, draw(st.integers()))


@dataclass
class Run:
    """Driver that settles nodes in random order and records all steps."""

    case: Case
    progress: Progress
    chance: random.Random
    begun: Counter[int] = field(default_factory=Counter)
    skipped: Counter[int] = field(default_factory=Counter)
    outputs: dict[int, Outputs | None] = field(default_factory=dict)
    running: list[int] = field(default_factory=list)

    def take_ready(self) -> None:
        self.skipped.update(self.progress.take_skipped())
        while self.progress.ready:
            index = self.progress.ready.pop(0)
            assert self.progress.status(index) is PENDING
            self.begun[index] += 1
            self.check_inputs(index)
            self.progress.begin(index)
            self.running.append(index)

    def check_inputs(self, index: int) -> None:
        node = self.case.plan.nodes[index]
        codes = self.progress.statuses
        assert all(codes[source] in NODE_TERMINAL for source in node.dependencies)
        wanted = [
            (wire, self.case.value_of(wire))
            for wire in node.in_edges
            if self.case.delivers(codes[wire.source], wire)
        ]
        delivered = self.progress.delivered(index)
        assert delivered == wanted
        values = self.progress.inputs(index, delivered)
        if node.many:
            lists: dict[str, list[str | None]] = {}
            for wire, value in wanted:
                lists.setdefault(wire.socket, []).append(value)
            assert values == lists
        else:
            assert values == {wire.socket: value for wire, value in wanted}

    def step(self) -> None:
        index = self.running.pop(self.chance.randrange(len(self.running)))
        if self.chance.random() < 0.2:
            self.progress.postpone(index)
            assert not self.progress.is_done
            self.progress.begin(index)
        outputs = self.case.behaviours[index]
        self.outputs[index] = outputs
        self.progress.settle(index, self.case.end_of(index), outputs)


def begin_run(case: Case) -> Run:
    return Run(case, Progress(case.plan, case.start), random.Random(case.seed))


def finish(run: Run) -> None:
    run.take_ready()
    while run.running:
        run.step()
        run.take_ready()


@given(cases())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_every_reachable_node_is_run_or_skipped_exactly_once(case: Case) -> None:
    run = begin_run(case)

    finish(run)

    expected = case.oracle()
    assert run.progress.is_done
    assert run.progress.statuses == expected
    reachable = case.plan.reachable
    assert run.begun == Counter(i for i in reachable if expected[i] in (COMPLETED, FAILED))
    assert run.skipped == Counter(i for i in reachable if expected[i] is SKIPPED)


@given(cases(), st.integers(0, 12))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_walk_that_goes_on_elsewhere_does_the_rest_exactly_once(case: Case, steps: int) -> None:
    run = begin_run(case)
    run.take_ready()
    for _ in range(steps):
        if run.running:
            run.step()
            run.take_ready()
    # On record: what has settled; skips perhaps not yet; what ran is pending again.
    recorded = [
        PENDING
        if status is NodeStatus.RUNNING
        or (status is SKIPPED and run.skipped[i] and run.chance.random() < 0.8)
        else status
        for i, status in enumerate(run.progress.statuses)
    ]

    again = replace(
        run,
        progress=Progress(case.plan, recorded, run.outputs),
        begun=Counter(),
        skipped=Counter(),
        running=[],
    )
    finish(again)

    expected = case.oracle()
    open_ = [i for i, status in enumerate(recorded) if status is PENDING]
    assert again.progress.is_done
    assert again.progress.statuses == expected
    assert again.begun == Counter(i for i in open_ if expected[i] in (COMPLETED, FAILED))
    assert again.skipped == Counter(i for i in open_ if expected[i] is SKIPPED)


def progress_of(count: int, edges: list[Edge], many: frozenset[str] = frozenset()) -> Progress:
    return Progress(make_plan(count, edges, count - 1, many), [PENDING] * count)


def test_a_node_whose_wired_inputs_are_all_skipped_is_skipped() -> None:
    progress = progress_of(4, [(0, 1, "a"), (1, 2, "a"), (2, 3, "a")])

    progress.settle(0, COMPLETED, {"b": 1})

    assert progress.take_skipped() == [1, 2]
    assert progress.take_skipped() == []
    assert progress.statuses == parse_node_statuses("cssp")
    assert list(progress.ready)[-1] == 3


def test_a_node_with_one_of_two_inputs_is_skipped() -> None:
    progress = progress_of(4, [(0, 2, "a"), (1, 2, "a"), (2, 3, "a")])
    progress.settle(0, COMPLETED, {})

    progress.settle(1, COMPLETED, {"a": 7})

    assert progress.take_skipped() == [2]


def test_a_socket_that_takes_many_wires_needs_one_of_them() -> None:
    edges = [(0, 2, "a"), (1, 2, "a"), (2, 3, "a")]
    one = progress_of(4, edges, frozenset({SHARED}))
    none = progress_of(4, edges, frozenset({SHARED}))
    for progress in (one, none):
        progress.settle(0, COMPLETED, {})

    one.settle(1, COMPLETED, {"a": 7})
    none.settle(1, COMPLETED, {})

    assert list(one.ready)[-1] == 2
    assert one.inputs(2, one.delivered(2)) == {SHARED: [7]}
    assert none.take_skipped() == [2]


def test_each_socket_that_takes_many_wires_needs_one_of_its_own() -> None:
    edges = [(0, 3, "a"), (1, 3, "a"), (2, 3, "a"), (3, 4, "a")]
    progress = progress_of(5, edges, frozenset({SHARED, OTHER}))

    progress.settle(0, COMPLETED, {"a": 1})
    progress.settle(1, COMPLETED, {"a": 1})
    progress.settle(2, COMPLETED, {})

    assert progress.take_skipped() == [3]


def test_the_response_output_always_runs() -> None:
    progress = progress_of(3, [(0, 2, "a"), (1, 2, "a")])
    progress.settle(0, COMPLETED, {})

    progress.settle(1, COMPLETED, {})

    assert progress.take_skipped() == []
    assert list(progress.ready)[-1] == 2
    assert progress.inputs(2, progress.delivered(2)) == {}


def test_a_failed_node_that_lets_the_run_go_on_delivers_null() -> None:
    progress = progress_of(2, [(0, 1, "a")])

    progress.settle(0, NodeStatus.FAILED)

    assert list(progress.ready) == [0, 1]
    assert progress.inputs(1, progress.delivered(1)) == {"in0": None}


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_a_value_that_counts_as_false_is_delivered_like_any_other(value: object) -> None:
    one = progress_of(2, [(0, 1, "a")])
    many = progress_of(3, [(0, 2, "a"), (1, 2, "b")], frozenset({SHARED, OTHER}))

    one.settle(0, COMPLETED, {"a": value})
    many.settle(0, COMPLETED, {"a": value})
    many.settle(1, COMPLETED, {"b": value})

    assert one.inputs(1, one.delivered(1)) == {"in0": value}
    assert many.inputs(2, many.delivered(2)) == {"in": [value, value]}


def test_a_node_settles_once() -> None:
    progress = progress_of(2, [(0, 1, "a")])

    progress.settle(0, COMPLETED, {"a": 1})
    progress.settle(0, NodeStatus.FAILED)

    assert progress.statuses == parse_node_statuses("cp")
    assert progress.inputs(1, progress.delivered(1)) == {"in0": 1}


@pytest.mark.parametrize("status", [NodeStatus.RUNNING, NodeStatus.RETRYING])
def test_what_runs_or_waits_for_a_retry_is_not_ready(status: NodeStatus) -> None:
    plan = make_plan(2, [(0, 1, "a")], 1, frozenset())

    progress = Progress(plan, [status, PENDING])

    assert not progress.ready
    assert not progress.is_done


def test_a_node_behind_a_fresh_skip_is_ready_once() -> None:
    edges = [(0, 1, "a"), (1, 3, "a"), (2, 3, "a")]
    plan = make_plan(4, edges, 3, frozenset())

    progress = Progress(plan, parse_node_statuses("cpcp"), {0: {}, 2: {"a": 1}})

    assert progress.take_skipped() == [1]
    assert list(progress.ready) == [3]


def test_three_thousand_skips_in_a_row_do_not_recurse() -> None:
    count = 3_000
    progress = progress_of(count, [(i, i + 1, "a") for i in range(count - 1)])

    progress.settle(0, COMPLETED, {})

    assert progress.take_skipped() == list(range(1, count - 1))
    assert list(progress.ready)[-1] == count - 1
