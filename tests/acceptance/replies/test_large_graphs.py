"""Graphs of the largest size: each join fires once, and Redis is soon done with each script."""

from collections.abc import Callable

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.graph.parse import MAX_NODES
from engine.settings import Settings
from engine.store.redis.scripts import SCRIPTS
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Graph, Runner, greeting
from workers.main import worker

CHAIN, DIAMONDS = 500, 100
MOST_MICROSECONDS = 20_000
"""Time of one script in the server, of 99 in 100 calls."""


def fan() -> Graph:
    """Input `who` → all texts that fit → output."""
    graph = Graph("who").node("out", "responseOutput")
    for number in range(MAX_NODES - 2):
        graph.node(f"t{number}", "textBox", text="{{a}}")
        graph.wire(f"in.who > t{number}.a", f"t{number}.text-out > out.result-in")
    return graph


def diamonds() -> Graph:
    """Input `who` → a text and an expression, joined in a text, a hundred times → output."""
    graph, before = Graph("who"), "in.who"
    for number in range(DIAMONDS):
        left, right, join = (f"{kind}{number}" for kind in "lrj")
        graph.node(left, "textBox", text="{{a}}").node(right, "transform", expression="'+'")
        graph.node(join, "textBox", text="{{a}}{{b}}")
        graph.wire(f"{before} > {left}.a", f"{before} > {right}.value-in")
        graph.wire(f"{left}.text-out > {join}.a", f"{right}.value-out > {join}.b")
        before = f"{join}.text-out"
    return graph.node("out", "responseOutput").wire(f"{before} > out.result-in")


async def durations(runner: Runner) -> list[int]:
    """Return the microseconds of our scripts in the server, sorted."""
    shas = {script.sha.encode() for script in SCRIPTS.values()}
    entries = await runner.store.client.send("SLOWLOG", "GET", 100_000)
    return sorted(int(each[2]) for each in entries if len(each[3]) > 1 and each[3][1] in shas)


@pytest.mark.F44
@pytest.mark.F23
@pytest.mark.slow
@pytest.mark.parametrize(
    "graph", [fan(), greeting(CHAIN), diamonds()], ids=["fan", "chain", "diamonds"]
)
async def test_each_node_of_a_large_graph_ends_once_and_scripts_are_short(
    graph: Graph,
    runner: Runner,
    settings: Settings,
    workers_share_a_zygote: None,
    record_property: Callable[[str, object], None],
) -> None:
    client = runner.store.client
    await client.send("CONFIG", "SET", "slowlog-log-slower-than", 0, "slowlog-max-len", 100_000)
    await client.send("SLOWLOG", "RESET")

    async with worker(settings):
        execution = await runner.run(graph, {"who": "Ada"}, PATIENCE_SECONDS)

    taken = await durations(runner)
    await client.send("CONFIG", "SET", "slowlog-log-slower-than", 10_000)
    assert execution.status is ExecutionStatus.COMPLETED
    assert {(node.status, node.attempts) for node in execution.nodes} == {("completed", 1)}
    assert len(execution.nodes) == len(graph.nodes)
    p99 = taken[len(taken) * 99 // 100]
    assert p99 <= MOST_MICROSECONDS
    record_property("script_p99_milliseconds", p99 / 1000)
    record_property("script_longest_milliseconds", taken[-1] / 1000)
