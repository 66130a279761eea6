"""Groups of one root share its room: what one leaves, others use without a look of the sweeper."""

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.store.children import feeding, groups
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import list_field, per_item
from tests.support.http.scripted_server import Target

LONG_MS = 600_000


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two children of a root run at once; no look and no lease ends during the test."""
    for module in (feeding, groups):
        monkeypatch.setattr(module, "MAX_RUNNING", 2)
    monkeypatch.setattr(feeding, "LOOK_MS", LONG_MS)
    monkeypatch.setattr(feeding, "LEASE_MS", LONG_MS)


def lists_of_calls(url: str) -> Graph:
    """A For Each of lists, whose body has a For Each of calls."""
    call = Graph("n").node("call", "httpRequest", url=f"{url}/slow/0.02?n={{{{ n }}}}")
    call.node("out", "responseOutput")
    call.wire("in.n > call.n", "call.response-out > out.result-in")
    row = Graph().node("in", "requestInput", fields=[list_field("rows")])
    row.node("each", "forEach", body={"nodes": call.nodes, "edges": call.edges})
    row.node("out", "responseOutput")
    row.wire("in.rows > each.n", "each.results-out > out.result-in")
    return per_item(row)


@pytest.mark.usefixtures("little_room", "walker")
async def test_groups_that_waited_for_room_get_what_others_leave(
    runner: Runner, target: Target
) -> None:
    rows = [[str(number * 10 + each) for each in range(3)] for number in range(5)]

    execution = await runner.run(lists_of_calls(target.url), {"items": rows})

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    numbers = [[str(each["n"]) for each in row] for row in execution.result["results"]]
    assert numbers == rows
