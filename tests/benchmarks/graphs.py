"""The workloads as workflow documents, for Headrace."""

from collections.abc import Sequence
from typing import Any

CHAIN_LENGTH = 10
FAN_WIDTH = 50
CALLS_AT_ONCE = 20
CALLS_IN_LINE = 40

Node = dict[str, Any]
Edge = dict[str, str]


def documents(target: str, wait_ms: int) -> dict[str, dict[str, Any]]:
    """Each workload's document by its name; `target` is the address of the local HTTP server."""
    return {
        "w1": _document("w1", _chain(1)),
        "w2": _document("w2", _chain(CHAIN_LENGTH)),
        "w3": _document("w3", _fan()),
        "w4": _document("w4", _calls_at_once(f"{target}/wait/100")),
        "w5": _document("w5", _one_call(f"{target}/wait/{wait_ms}")),
        "w7": _document("w7", _calls_in_line(f"{target}/now")),
    }


def fan_document(width: int) -> dict[str, Any]:
    """Return the document of one text, `width` texts beside each other that follow it, a join."""
    return _document(f"fan of {width}", _fan(width))


def _document(name: str, graph: tuple[list[Node], list[Edge]]) -> dict[str, Any]:
    nodes, edges = graph
    return {
        "name": f"Bench {name}",
        "nodes": nodes,
        "edges": [edge | {"id": f"e{index}"} for index, edge in enumerate(edges)],
        "viewport": {"x": 0, "y": 0, "zoom": 1},
    }


def _chain(length: int) -> tuple[list[Node], list[Edge]]:
    texts = [_text(f"t{index}", "{{ name }}!") for index in range(length)]
    nodes = [_input(), *texts, _output()]
    edges = [_edge("in", "name", "t0", "name")]
    edges += [_edge(f"t{n}", "text-out", f"t{n + 1}", "name") for n in range(length - 1)]
    return nodes, [*edges, _edge(f"t{length - 1}", "text-out", "out", "result-in")]


def _fan(width: int = FAN_WIDTH) -> tuple[list[Node], list[Edge]]:
    names = [f"t{index}" for index in range(width)]
    nodes = [
        _input(),
        _text("first", "{{ name }}!"),
        *(_text(n, f"{{{{ x }}}} {n}") for n in names),
    ]
    nodes += [_join(names), _output()]
    edges = [_edge("in", "name", "first", "name"), _edge("join", "text-out", "out", "result-in")]
    edges += [_edge("first", "text-out", name, "x") for name in names]
    return nodes, edges + [_edge(name, "text-out", "join", name) for name in names]


def _calls_at_once(url: str) -> tuple[list[Node], list[Edge]]:
    names = [f"c{index}" for index in range(CALLS_AT_ONCE)]
    nodes = [_input(), *(_call(name, f"{url}?name={{{{ name }}}}") for name in names)]
    edges = [_edge("in", "name", name, "name") for name in names]
    edges += [_edge(name, "response-out", "join", name) for name in names]
    return [*nodes, _join(names), _output()], [
        *edges,
        _edge("join", "text-out", "out", "result-in"),
    ]


def _one_call(url: str) -> tuple[list[Node], list[Edge]]:
    nodes = [_input(), _call("c0", f"{url}?name={{{{ name }}}}"), _output()]
    edges = [_edge("in", "name", "c0", "name"), _edge("c0", "response-out", "out", "result-in")]
    return nodes, edges


def _calls_in_line(url: str) -> tuple[list[Node], list[Edge]]:
    names = [f"c{index}" for index in range(CALLS_IN_LINE)]
    nodes = [_input(), *(_call(name, f"{url}?name={{{{ name }}}}") for name in names), _output()]
    edges = [
        _edge("in", "name", "c0", "name"),
        _edge(names[-1], "response-out", "out", "result-in"),
    ]
    lines = zip(names, names[1:], strict=False)
    return nodes, edges + [_edge(one, "response-out", other, "name") for one, other in lines]


def _input() -> Node:
    field = {"name": "name", "label": "Name", "type": "text", "required": True}
    return _node("in", "requestInput", {"fields": [field]})


def _text(node_id: str, text: str) -> Node:
    return _node(node_id, "textBox", {"text": text})


def _join(names: Sequence[str]) -> Node:
    return _text("join", " ".join(f"{{{{ {name} }}}}" for name in names))


def _call(node_id: str, url: str) -> Node:
    return _node(node_id, "httpRequest", {"method": "GET", "url": url})


def _output() -> Node:
    return _node("out", "responseOutput", {})


def _node(node_id: str, kind: str, data: dict[str, Any]) -> Node:
    return {"id": node_id, "type": kind, "position": {"x": 0, "y": 0}, "data": data}


def _edge(source: str, output: str, target: str, socket: str) -> Edge:
    return {"source": source, "sourceHandle": output, "target": target, "targetHandle": socket}
