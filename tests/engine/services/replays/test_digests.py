"""Digests of nodes: equal for equal types, settings and inputs, and for links to one asset."""

import time
from typing import Any

import pytest

from engine.executions.statuses import NodeStatus
from engine.graph.plan import Node, Plan, compile_plan
from engine.graph.progress import Progress
from engine.services.media import MediaService
from engine.services.replays.digests import FindAsset, NodeDigests, settings_of
from engine.settings import Settings
from engine.store import Store
from tests.support.factories import Graph

URL = "https://example.com/"


def compiled(graph: Graph) -> Plan:
    return compile_plan(graph.nodes, graph.edges)


def node_of(plan: Plan, node_id: str) -> Node:
    return next(node for node in plan.nodes if node.id == node_id)


def digest(
    graph: Graph, node_id: str, outputs: dict[str, Any], find_asset: FindAsset = lambda value: None
) -> bytes:
    """Return the digest of a node behind completed ones with these outputs, by node id."""
    plan = compiled(graph)
    codes = [
        NodeStatus.COMPLETED if node.id in outputs else NodeStatus.PENDING for node in plan.nodes
    ]
    progress = Progress(plan, codes, {node.index: outputs.get(node.id) for node in plan.nodes})
    node = node_of(plan, node_id)
    return NodeDigests(find_asset).of_node(node, progress.delivered(node.index))


def call(node_id: str = "call", **data: Any) -> Graph:
    graph = Graph("who").node(node_id, "httpRequest", **({"method": "POST", "url": URL} | data))
    graph.node("out", "responseOutput").wire(f"in.who > {node_id}.body-in")
    return graph.wire(f"{node_id}.response-out > out.result-in")


ADA = {"in": {"who": "Ada", "params": {"who": "Ada"}}}


@pytest.mark.parametrize(
    "data", [{"retry": {"attempts": 2}}, {"timeoutSeconds": 3}, {"onError": "continue"}]
)
def test_the_policy_and_the_id_are_no_part(data: dict[str, Any]) -> None:
    assert digest(call(), "call", ADA) == digest(call("other", **data), "other", ADA)


@pytest.mark.parametrize("data", [{"url": URL + "x"}, {"headers": {"X-A": "1"}}, {"method": "PUT"}])
def test_other_settings_are_another_digest(data: dict[str, Any]) -> None:
    assert digest(call(), "call", ADA) != digest(call(**data), "call", ADA)


def test_other_inputs_are_another_digest() -> None:
    other = {"in": {"who": "Bob", "params": {"who": "Bob"}}}

    assert digest(call(), "call", ADA) != digest(call(), "call", other)


def test_members_that_a_node_does_not_read_are_no_part() -> None:
    graph = Graph("who").node("call", "httpRequest", url=URL + "{{ a.who }}")
    graph.node("out", "responseOutput")
    graph.wire("in.params > call.a", "call.response-out > out.result-in")
    more = {"in": {"params": {"who": "Ada", "more": 1}}}

    assert digest(graph, "call", ADA) == digest(graph, "call", more)


def test_wires_that_change_the_meaning_of_a_refusal_are_a_part() -> None:
    assert digest(call(), "call", ADA) != digest(
        call().wire("call.status-out > out.result-in"), "call", ADA
    )


def test_places_on_the_canvas_are_no_settings() -> None:
    inner = Graph("row").node("out", "responseOutput").wire("in.row > out.result-in")
    bodies = [{"nodes": inner.nodes, "edges": inner.edges} for _ in range(2)]
    bodies[1]["nodes"] = [{**node, "position": {"x": 1, "y": 2}} for node in inner.nodes]
    found = []
    for body in bodies:
        graph = Graph().node("rows", "list", items=[{"value": "a"}])
        graph.node("each", "forEach", body=body).node("out", "responseOutput")
        graph.wire("rows.items-out > each.row", "each.results-out > out.result-in")
        found.append(settings_of(node_of(compiled(graph), "each")))

    assert found[0] == found[1]


async def test_links_to_one_asset_are_equal_alone_and_within_texts(
    settings: Settings, store: Store
) -> None:
    media = MediaService.from_settings(settings, store)
    links = [media._links.url("a" * 24, expires) for expires in (1, 2)]
    other = media._links.url("b" * 24, 1)

    def of(text: str) -> bytes:
        return digest(call(), "call", {"in": {"who": text, "params": {}}}, media.linked)

    assert of(links[0]) == of(links[1]) != of(other)
    assert of(f"See {links[0]}.") == of(f"See {links[1]}.") != of(f"See {other}.")
    forged = links[0][:-64] + "0" * 64
    assert of(forged) != of(links[0])


def test_links_are_found_behind_others_and_the_search_reads_each_character_once() -> None:
    link = "http://localhost/media/a?signature=" + "0" * 64
    seen: list[object] = []

    def find(value: object) -> str | None:
        seen.append(value)
        return "a"

    text = "http://" * 1_000_000 + "x," + link
    began = time.process_time()
    found = NodeDigests(find).without_links(text)

    assert found.endswith("x,asset:a")
    assert seen == [link]
    assert time.process_time() - began < 10, "it took minutes where each start read on"
