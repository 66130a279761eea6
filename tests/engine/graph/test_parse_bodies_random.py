"""Bodies with anything in them: no check breaks, and what can be saved can be compiled."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidBody
from engine.graph.calls import find_calls
from engine.graph.document import parse_graph_members
from engine.graph.features import needs_of
from engine.graph.plan import compile_plan, examine_graph
from engine.graph.plan_digest import plan_digest
from engine.nodes.support.children import CalleeInterface
from engine.services.secrets import find_uses
from engine.services.workflows.check_workflow import check_graph
from engine.values.fields import parse_fields
from tests.support.graphs.graph_checkers import judge
from tests.support.graphs.nested import each_row, upper_body

ROW = {"name": "row", "type": "text"}
OTHER = CalleeInterface(fields=parse_fields([{"name": "who", "type": "text"}]), outputs=("t",))
TEXTS = ("", "x", "{{", "each", "in", "out", "forEach", "row", "other", "a" * 200)
WRONG: tuple[Any, ...] = (
    *TEXTS,
    *(None, 0, 1, 1.5, True, [], [1], [None], [[]], {}, {"a": 1}),
    {"nodes": [], "edges": []},
    {"nodes": [{}], "edges": [{}]},
)


def document() -> dict[str, Any]:
    """Return a graph with bodies in bodies, calls, a secret, an asset and an expression."""
    body = upper_body().node("c", "subWorkflow", workflow="other")
    body.node("h", "httpRequest", url="https://a.example", headers={"x": "{{secret.A}}"})
    body.node("u", "upload", asset="a" * 24, kind="image")
    body.node("t", "transform", expression="value")
    body.wire("text.text-out > c.who", "text.text-out > t.value-in")
    inner = each_row(body).node("in", "requestInput", fields=[ROW])
    graph = each_row(inner).node("two", "forEach", workflow="other", over="who")
    graph.wire("rows.items-out > two.who")
    return {"nodes": graph.nodes, "edges": graph.edges}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            yield from places(member, (*path, name))


INSIDE = [path for path in places(document()) if len(path) > 3]
CHANGES = st.lists(
    st.tuples(st.sampled_from(INSIDE), st.sampled_from(WRONG), st.booleans()),
    min_size=1,
    max_size=4,
)


def change(whole: Any, path: tuple[Any, ...], value: Any, is_left_out: bool) -> None:
    """Change a member of the graph, unless a former change has removed its place."""
    *outer, name = path
    try:
        for each in outer:
            whole = whole[each]
        if is_left_out and isinstance(whole, dict):
            whole.pop(name, None)
        else:
            whole[name] = copy.deepcopy(value)
    except (KeyError, IndexError, TypeError):
        return


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(changes=CHANGES)
def test_no_check_breaks_and_what_is_sound_compiles(changes: list[Any]) -> None:
    made = document()
    for each in changes:
        change(made, *each)
    try:
        nodes, edges = parse_graph_members(made)
    except InvalidBody:
        return

    callees = dict.fromkeys(find_calls(nodes), OTHER)
    parsed = examine_graph(
        nodes, edges, allow_private=False, allow_reserved=False, judge=judge, callees=callees
    )

    assert all(problem.as_detail()["reason"] for problem in parsed.problems)
    check_graph(parsed, Decimal(1), inputs={})
    assert len(list(find_uses(nodes))) <= 1
    needs_of(nodes, edges)
    if not parsed.problems:
        assert plan_digest(compile_plan(nodes, edges))
