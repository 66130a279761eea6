"""Random documents, and a small interpreter that predicts the end of a run."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

import networkx

from tests.support.factories import Graph

OUTPUTS = {
    "requestInput": ("who",),
    "textBox": ("text-out",),
    "list": ("items-out",),
    "transform": ("value-out",),
    "condition": ("true-out", "false-out"),
    "switch": ("one", "two", "else-out"),
    "merge": ("value-out",),
    "httpRequest": ("response-out",),
}
EXPRESSIONS = {"'k'": "k", "size([value, value])": 2}
"""The result of each, for any value."""
BROKEN_EXPRESSION = "value.nope.nope"


@dataclass(slots=True, kw_only=True)
class Part:
    """A node, its wires as (socket, source, output), and its behaviour in a run."""

    id: str
    type: str
    data: dict[str, Any]
    in_edges: list[tuple[str, str, str]] = field(default_factory=list)
    gives: Any = None
    fails: bool = False
    path: str = ""
    """Of an HTTP call."""

    @property
    def goes_on(self) -> bool:
        return "onError" in self.data

    @property
    def after_failure(self) -> dict[str, Any] | None:
        """Outputs after a failure; None: null at each."""
        if self.data["onError"] == "continue":
            return None
        return {**dict.fromkeys(OUTPUTS[self.type]), **self.data["fallback"]}

    @property
    def attempts(self) -> int:
        return int(self.data.get("retry", {}).get("attempts", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Predicted end of a run that is not cancelled."""

    status: str
    result: Any
    nodes: dict[str, str]
    """Status by node id; in a failed run a completed one may not have come to its turn."""
    culprits: frozenset[str]
    """Nodes, one of which ends the run."""


class RandomGraph:
    """A random document of one to twelve nodes between input and output."""

    def __init__(self, rng: random.Random, name: str, url: str) -> None:
        self._rng = rng
        self._name = name
        self._url = url
        self._is_heavy = rng.random() < 0.4
        """Many expressions side by side, which workers share."""
        self.who = rng.choice(["Ada", "", "é☃", "x" * 50])
        self.parts = {"in": Part(id="in", type="requestInput", data={})}
        for number in range(rng.randint(1, 12)):
            self._add(f"n{number}")
        self._close()

    @property
    def graph(self) -> Graph:
        """The document."""
        graph = Graph("who")
        for part in self.parts.values():
            if part.id != "in":
                graph.node(part.id, part.type, **part.data)
            for socket, source, output in part.in_edges:
                graph.wire(f"{source}.{output} > {part.id}.{socket}")
        return graph

    def _add(self, node_id: str) -> None:
        kinds = ["textBox", "list", "transform", "condition", "switch", "merge"]
        kinds += ["httpRequest"] * 4
        if self._is_heavy:
            kinds = [*["transform"] * 4, *["condition"] * 2, "httpRequest", "textBox"]
        part = getattr(self, f"_{self._rng.choice(kinds)}")(node_id)
        if self._rng.random() < 0.4:
            part.data["onError"] = self._rng.choice(["continue", "fallback"])
        if part.data.get("onError") == "fallback":
            names = self._rng.sample(OUTPUTS[part.type], self._rng.randint(0, 1))
            part.data["fallback"] = dict.fromkeys(names, "instead")
        self.parts[node_id] = part

    def _wire(self) -> tuple[str, str]:
        recent = list(self.parts.values())[: 3 if self._is_heavy else None][-4:]
        source = self._rng.choice([*recent, self.parts["in"]])
        return source.id, self._rng.choice(OUTPUTS[source.type])

    def _textBox(self, node_id: str) -> Part:
        names = self._rng.sample(["a", "b", "c"], self._rng.randint(0, 3))
        text = "-".join(["t", *(f"{{{{{name}}}}}" for name in names)])
        in_edges = [(name, *self._wire()) for name in names]
        return Part(id=node_id, type="textBox", data={"text": text}, in_edges=in_edges, gives=names)

    def _list(self, node_id: str) -> Part:
        items = [{"value": number} for number in range(self._rng.randint(0, 2))]
        in_edges = {("items-in", *self._wire()) for _ in range(self._rng.randint(0, 3))}
        return Part(id=node_id, type="list", data={"items": items}, in_edges=sorted(in_edges))

    def _transform(self, node_id: str) -> Part:
        fails = self._rng.random() < 0.15
        expression = BROKEN_EXPRESSION if fails else self._rng.choice(sorted(EXPRESSIONS))
        part = Part(id=node_id, type="transform", data={"expression": expression}, fails=fails)
        part.in_edges = [("value-in", *self._wire())]
        part.gives = EXPRESSIONS.get(expression)
        return part

    def _condition(self, node_id: str) -> Part:
        verdict = self._rng.random() < 0.5
        data = {"expression": "true" if verdict else "false"}
        in_edges = [("value-in", *self._wire())]
        return Part(id=node_id, type="condition", data=data, in_edges=in_edges, gives=verdict)

    def _switch(self, node_id: str) -> Part:
        taken = self._rng.choice(OUTPUTS["switch"])
        cases = [{"name": name, "when": f"{name == taken}".lower()} for name in ("one", "two")]
        in_edges = [("value-in", *self._wire())]
        return Part(
            id=node_id, type="switch", data={"cases": cases}, in_edges=in_edges, gives=taken
        )

    def _merge(self, node_id: str) -> Part:
        mode = self._rng.choice(["first", "all"])
        in_edges = {("value-in", *self._wire()) for _ in range(self._rng.randint(1, 3))}
        return Part(
            id=node_id, type="merge", data={"mode": mode}, in_edges=sorted(in_edges), gives=mode
        )

    def _httpRequest(self, node_id: str) -> Part:
        rng = self._rng
        attempts = rng.randint(1, 4)
        fails = rng.random() < 0.1
        flaky = f"flaky/{rng.randint(0, attempts - 1)}"
        kind = rng.choice(["slow/0", "slow/0.1", "slow/0.4", flaky])
        if fails:
            kind = rng.choice(["status/404", "status/503"])
        number = rng.randint(1, 99)
        path = f"/{kind}/{self._name}-{node_id}?n={number}"
        backoff = rng.choice([0, 0.05, 0.2, 1.2 if attempts == 2 else 0.1])
        data = {
            "url": self._url + path,
            "method": "POST",
            "retry": {"attempts": attempts, "backoff": backoff},
        }
        part = Part(id=node_id, type="httpRequest", data=data, fails=fails, path=path)
        part.gives = {"n": number, "kind": kind.split("/")[0]}
        if rng.random() < 0.7:
            part.in_edges = [("body-in", *self._wire())]
        return part

    def _close(self) -> None:
        last = list(self.parts.values())[-8:]
        sources = last if self._is_heavy else [*self._rng.sample(last, min(len(last), 3)), last[-1]]
        in_edges = [
            (f"o{number}", source.id, self._rng.choice(OUTPUTS[source.type]))
            for number, source in enumerate(sources)
        ]
        names = [{"name": socket} for socket, _, _ in in_edges]
        self.parts["out"] = Part(
            id="out", type="responseOutput", data={"fields": names}, in_edges=in_edges
        )

    # -- the interpreter --------------------------------------------------------------------------

    def expected(self) -> Expected:
        """Interpret the document."""
        order = networkx.DiGraph()
        order.add_nodes_from(self.parts)
        order.add_edges_from((w[1], part.id) for part in self.parts.values() for w in part.in_edges)
        on_the_way = networkx.ancestors(order, "out") | {"out"}
        nodes: dict[str, str] = {}
        values: dict[str, dict[str, Any]] = {}
        culprits = set()
        for node_id in networkx.topological_sort(order):
            part = self.parts[node_id]
            delivered = self._delivered(part, nodes, values)
            missing = {wire[0] for wire in part.in_edges} - {socket for socket, _ in delivered}
            if node_id not in on_the_way or (missing and node_id != "out"):
                nodes[node_id] = "skipped"
            elif any(nodes[source] in ("blocked", "fatal") for _, source, _ in part.in_edges):
                nodes[node_id] = "blocked"
            elif part.fails and not part.goes_on:
                nodes[node_id] = "fatal"
                culprits.add(node_id)
            elif part.fails:
                nodes[node_id] = "failed"
                after = part.after_failure
                if after is not None:
                    values[node_id] = after
            else:
                nodes[node_id] = "completed"
                values[node_id] = self._run(part, delivered)
        status = "failed" if culprits else "completed"
        result = None if culprits else values.get("out", {}).get("result")
        return Expected(status=status, result=result, nodes=nodes, culprits=frozenset(culprits))

    def _delivered(
        self, part: Part, nodes: dict[str, str], values: dict[str, dict[str, Any]]
    ) -> list[tuple[str, Any]]:
        found = []
        for socket, source, output in part.in_edges:
            is_null = nodes[source] == "failed" and source not in values
            if is_null or nodes[source] in ("blocked", "fatal"):
                found.append((socket, None))
            elif output in values.get(source, {}):
                found.append((socket, values[source][output]))
        return found

    def _run(self, part: Part, delivered: list[tuple[str, Any]]) -> dict[str, Any]:
        inputs = dict(delivered)
        if part.type == "requestInput":
            return {"who": self.who}
        if part.type == "textBox":
            return {"text-out": "-".join(["t", *(_text(inputs.get(n)) for n in part.gives)])}
        if part.type == "list":
            items = [item["value"] for item in part.data["items"]]
            for _, value in delivered:
                items.extend(value if isinstance(value, list) else [value])
            return {"items-out": items}
        if part.type == "condition":
            return {"true-out" if part.gives else "false-out": inputs["value-in"]}
        if part.type == "switch":
            return {part.gives: inputs["value-in"]}
        if part.type == "merge":
            values = [value for _, value in delivered]
            return {"value-out": values[0] if part.gives == "first" else values}
        if part.type == "responseOutput":
            return {"result": {socket: inputs.get(socket) for socket, _, _ in part.in_edges}}
        return {OUTPUTS[part.type][0]: part.gives}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
