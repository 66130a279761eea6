"""Plain interpreter of flows, which predicts the end of their runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx

from tests.support.graphs.flows import EXPRESSIONS, FIELD, INDEX, Flow, Part

Outputs = dict[str, Any]
MAX_CHILDREN = 60
FAILED, COMPLETED, SKIPPED = "failed", "completed", "skipped"


class Ambiguous(Exception):
    """The end depends on the order in which nodes fail, or the run has too many children."""


class Failure(Exception):
    """A node fails with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Predicted end of a run."""

    code: str | None
    """Code of the node that fails the run; None: the run completes."""
    result: Any = None
    nodes: Mapping[str, str] = field(default_factory=dict)
    """Status by node."""
    children: int | None = None
    """All children below the run; None: the number depends on their order."""


def predict(flow: Flow, inputs: Mapping[str, Any]) -> Expected:
    """Return the end of a run. Raises Ambiguous."""
    interpreter = _Interpreter()
    try:
        result, nodes = interpreter.run(flow, inputs)
    except Failure as failure:
        return Expected(code=failure.code)
    children = interpreter.children if interpreter.is_exact else None
    return Expected(code=None, result=result, nodes=nodes, children=children)


class _Interpreter:
    def __init__(self) -> None:
        self.children = 0
        self.is_exact = True

    def run(self, flow: Flow, inputs: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
        """Return result and statuses. Raises Failure with the code of the node that fails."""
        form = {FIELD: inputs.get(FIELD), INDEX: inputs.get(INDEX), "params": {}}
        outputs: dict[str, Outputs | None] = {"in": form}
        nodes, codes = {"in": COMPLETED, "out": COMPLETED}, set()
        needed, blocked = _needed(flow), set[str]()
        for part in flow.parts:
            if any(source in blocked for _, source, _ in part.wires):
                blocked.add(part.id)
                continue
            delivered = _delivered(part.wires, outputs)
            wanted = {socket for socket, _, _ in part.wires}
            if part.id not in needed or {socket for socket, _ in delivered} != wanted:
                nodes[part.id], outputs[part.id] = SKIPPED, {}
                continue
            nodes[part.id] = COMPLETED
            try:
                outputs[part.id] = self._work(part, delivered)
            except Failure as failure:
                nodes[part.id] = FAILED
                if _ends_run(flow, part):
                    codes.add(failure.code)
                    blocked.add(part.id)
                else:
                    outputs[part.id] = _after(flow, part, failure.code)
        if codes:
            self.is_exact = False
            if len(codes) > 1:
                raise Ambiguous
            raise Failure(codes.pop())
        if "in" not in needed:
            nodes["in"] = SKIPPED
        return _result(flow, outputs), nodes

    def _work(self, part: Part, delivered: list[tuple[str, Any]]) -> Outputs:
        if part.inner is not None:
            return (
                self._each(part, delivered) if part.kind == "each" else self._sub(part, delivered)
            )
        if part.kind in EXPRESSIONS:
            return {"value-out": _evaluate(part.kind, delivered[0][1])}
        values = [value for _, value in delivered]
        match part.kind:
            case "text":
                return {"text-out": "-".join(["t", *map(_text, values)])}
            case "list":
                own = [each["value"] for each in part.data.get("items", ())]
                return {"items-out": own + _flat(values)}
            case "condition":
                output = "true-out" if part.data["expression"] == "true" else "false-out"
                return {output: values[0]}
            case "merge":
                return {"value-out": values[0] if part.data["mode"] == "first" else values}
            case "call":
                return {"response-out": {"n": 7, "kind": "slow"}}
        raise Failure("http_status")

    def _child(self, flow: Flow, inputs: Mapping[str, Any]) -> Any:
        self.children += 1
        if self.children > MAX_CHILDREN:
            raise Ambiguous
        return self.run(flow, inputs)[0]

    def _sub(self, part: Part, delivered: list[tuple[str, Any]]) -> Outputs:
        assert part.inner is not None
        result = self._child(part.inner, dict(delivered))
        named = {} if part.inner.is_single else result
        return {"result-out": result, **named}

    def _each(self, part: Part, delivered: list[tuple[str, Any]]) -> Outputs:
        assert part.inner is not None
        items = dict(delivered)[FIELD]
        if not isinstance(items, list):
            raise Failure("invalid_inputs")
        results, errors = list[Any](), list[dict[str, Any]]()
        mode = part.data["onItemError"]
        for index, item in enumerate(items):
            try:
                results.append(self._child(part.inner, {FIELD: item, INDEX: index}))
            except Failure as failure:
                errors.append({"index": index, "code": failure.code})
                results += [None] if mode == "null" else []
        if errors and mode == "fail":
            self.is_exact = False
            is_random = part.data["concurrency"] > 1
            if is_random and len({each["code"] for each in errors}) > 1:
                raise Ambiguous
            raise Failure(errors[0]["code"])
        return {"results-out": results, "errors-out": errors}


def _needed(flow: Flow) -> set[str]:
    """Return the nodes that lead to the result."""
    graph = networkx.DiGraph()
    graph.add_node("out")
    graph.add_edges_from((source, part.id) for part in flow.parts for _, source, _ in part.wires)
    graph.add_edges_from((source, "out") for _, source, _ in flow.result)
    return {*networkx.ancestors(graph, "out")}


def _delivered(
    wires: list[tuple[str, str, str]], outputs: Mapping[str, Outputs | None]
) -> list[tuple[str, Any]]:
    """Return the delivered values with their sockets; None stands for nulls at all outputs."""
    found = []
    for socket, source, output in wires:
        given = outputs[source]
        if given is None or output in given:
            found.append((socket, None if given is None else given[output]))
    return found


def _ends_run(flow: Flow, part: Part) -> bool:
    return "onError" not in part.data and not _is_caught(flow, part)


def _is_caught(flow: Flow, part: Part) -> bool:
    wires = (wire for each in flow.parts for wire in each.wires)
    return any(source == part.id and output == "error-out" for _, source, output in wires)


def _after(flow: Flow, part: Part, code: str) -> Outputs | None:
    """Return the outputs of a failed node."""
    if _is_caught(flow, part):
        return {"error-out": {"code": code, "nodeId": part.id}}
    if part.data["onError"] == "continue":
        return None
    names = (*part.outputs, *(["errors-out"] if part.kind == "each" else []))
    return {**dict.fromkeys(names), **part.data["fallback"]}


def _result(flow: Flow, outputs: Mapping[str, Outputs | None]) -> Any:
    delivered = dict(_delivered(flow.result, outputs))
    if flow.is_single:
        return delivered.get(flow.result[0][0])
    return {name: delivered.get(name) for name, _, _ in flow.result}


def _evaluate(kind: str, value: Any) -> Any:
    """Return the value of an expression. Raises Failure."""
    if kind == "codes":
        return _codes(value)
    if kind == "broken" or (kind == "picky" and value == "b"):
        raise Failure("expression_error")
    if kind == "caught":
        return [value["code"], value["nodeId"]]
    return {"constant": "k", "pair": [value, "b"]}.get(kind, value)


def _codes(value: Any) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Failure("expression_error")
    return [[each["index"], each["code"]] for each in value]


def _flat(values: list[Any]) -> list[Any]:
    items: list[Any] = []
    for value in values:
        items += value if isinstance(value, list) else [value]
    return items


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
