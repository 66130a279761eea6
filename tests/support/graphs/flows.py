"""Flows: random graphs with graphs inside, from which documents are made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from hypothesis import strategies as st

from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import body_of

FIELD, INDEX = "x", "index"
MISSING = "value.nope.nope"
IS_B = "json.stringify(value) == '\"b\"'"
EXPRESSIONS = {
    "same": "value",
    "constant": "'k'",
    "pair": "[value, 'b']",
    "broken": MISSING,
    "picky": f"{IS_B} ? {MISSING} : value",
    "caught": "[value.code, value.nodeId]",
    "codes": "value.map(each, [each.index, each.code])",
}
"""Expression of each kind that is a `transform`."""
OUTPUTS = {
    **dict.fromkeys(EXPRESSIONS, ("value-out",)),
    "text": ("text-out",),
    "list": ("items-out",),
    "condition": ("true-out", "false-out"),
    "merge": ("value-out",),
    "call": ("response-out",),
    "lost": ("response-out",),
    "each": ("results-out",),
}
PLAIN = ("same", "constant", "pair", "text", "list", "condition", "merge", "call")
RISKY = ("broken", "picky", "picky", "lost")
NESTED = ("each", "each", "sub")
VALUES = (["a", "b", "c"], [["a"], ["b", "c"]], ["b"], "a", "b", [], None)
WAYS = ("error", "fallback", "continue", "error", "fail")


@dataclass(slots=True, kw_only=True)
class Part:
    """Node of a flow, with its wires as (socket, source, output); the source `in` is the form."""

    id: str
    kind: str
    wires: list[tuple[str, str, str]]
    data: dict[str, Any] = field(default_factory=dict)
    inner: "Flow | None" = None
    is_called: bool = False
    """The inner flow is another workflow, instead of a body."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs that other nodes may take as they are."""
        if self.kind != "sub":
            return OUTPUTS[self.kind]
        named = () if self.inner is None or self.inner.is_single else self.inner.result
        return ("result-out", *(name for name, _, _ in named))


@dataclass(slots=True, kw_only=True)
class Flow:
    """Graph with the field `x`, and perhaps a field for the number of the item."""

    parts: list[Part]
    result: list[tuple[str, str, str]]
    """Named outputs, each with its source."""
    has_index: bool = False
    is_single: bool = False
    """The result is its only value, without a name."""

    def called(self) -> Iterator["Flow"]:
        """Yield the flows that are workflows of their own, inner ones first."""
        for part in self.parts:
            if part.inner is not None:
                yield from part.inner.called()
                if part.is_called:
                    yield part.inner

    def graph(self, slugs: Mapping[int, str], url: str) -> Graph:
        """Return the document; `slugs` of called flows are by their identity.

        `url` is that of a call which takes its time.
        """
        graph = Graph()
        names = [FIELD, *([INDEX] if self.has_index else [])]
        types = {FIELD: "json", INDEX: "number"}
        fields = [{"name": each, "label": each, "type": types[each]} for each in names]
        graph.node("in", "requestInput", fields=fields)
        for part in self.parts:
            kind, data = _node(part, slugs, url)
            graph.node(part.id, kind, **data, **part.data)
            graph.wire(*(f"{source}.{out} > {part.id}.{to}" for to, source, out in part.wires))
        named = [] if self.is_single else [{"name": name} for name, _, _ in self.result]
        graph.node("out", "responseOutput", **({"fields": named} if named else {}))
        for name, source, output in self.result:
            graph.wire(f"{source}.{output} > out.{'result-in' if self.is_single else name}")
        return graph


def _node(part: Part, slugs: Mapping[int, str], url: str) -> tuple[str, dict[str, Any]]:
    """Return type and settings of a part, without those that every node may have."""
    if part.kind in EXPRESSIONS:
        return "transform", {"expression": EXPRESSIONS[part.kind]}
    if part.kind in ("call", "lost"):
        lost = urljoin(url, "/status/404")
        return "httpRequest", {"url": f"{url if part.kind == 'call' else lost}?n=7"}
    if part.inner is None:
        return {"text": "textBox"}.get(part.kind, part.kind), {}
    if part.is_called:
        inner: dict[str, Any] = {"workflow": slugs[id(part.inner)]}
    else:
        inner = {"body": body_of(part.inner.graph(slugs, url))}
    return ("forEach" if part.kind == "each" else "subWorkflow"), inner


class _Maker:
    """Draws the parts of one flow."""

    def __init__(self, draw: st.DrawFn, depth: int, *, has_index: bool) -> None:
        self._draw = draw
        self._depth = depth
        self._sources = [("in", FIELD)]
        if has_index:
            self._sources.append(("in", INDEX))
        self.parts: list[Part] = []

    def pick(self) -> tuple[str, str]:
        """Draw an output of a recent node, or of the form."""
        source: tuple[str, str] = self._draw(st.sampled_from([*self._sources[-5:], ("in", FIELD)]))
        return source

    def add(self) -> None:
        """Draw a part, and one for its error where that goes along an edge."""
        kinds = (*(NESTED * 3 if self._depth else ()), *RISKY, *PLAIN)
        kind = self._draw(st.sampled_from(kinds))
        if kind == "each" and self._draw(st.integers(0, 3)):
            listed = self._set(Part(id=f"n{len(self.parts)}", kind="list", wires=[]))
            listed.data["items"] = [{"value": "a"}, {"value": "b"}]
            self._keep(listed)
        part = self._set(Part(id=f"n{len(self.parts)}", kind=kind, wires=[]))
        way = self._draw(st.sampled_from(WAYS)) if part.kind in (*RISKY, *NESTED) else "fail"
        if way in ("continue", "fallback"):
            part.data["onError"] = way
        if way == "fallback":
            part.data["fallback"] = self._fallback(part)
        self._keep(part)
        if part.kind == "each":
            self._follow(part, "codes", "errors-out")
        if way == "error":
            self._follow(part, "caught", "error-out")

    def add_picky(self) -> None:
        """Add a part that fails the run where its input is `b`."""
        self._keep(Part(id="n0", kind="picky", wires=[("value-in", "in", FIELD)]))

    def _follow(self, part: Part, kind: str, output: str) -> None:
        wires = [("value-in", part.id, output)]
        follower = Part(id=f"{part.id}{kind}", kind=kind, wires=wires)
        if kind == "codes":
            follower.data["onError"] = "continue"
        self._keep(follower)

    def _keep(self, part: Part) -> None:
        self.parts.append(part)
        self._sources += [(part.id, output) for output in part.outputs]

    def _fallback(self, part: Part) -> dict[str, Any]:
        values = st.sampled_from(("fallen", ["a", "b"], [], None))
        names = self._draw(st.sets(st.sampled_from(part.outputs)))
        return {name: self._draw(values) for name in sorted(names)}

    def _set(self, part: Part) -> Part:
        draw = self._draw
        if part.kind == "text":
            names = ("a", "b")[: draw(st.integers(1, 2))]
            part.data["text"] = "-".join(["t", *(f"{{{{{name}}}}}" for name in names)])
            part.wires = [(name, *self.pick()) for name in names]
        elif part.kind in ("list", "merge"):
            socket = "items-in" if part.kind == "list" else "value-in"
            sources = dict.fromkeys(self.pick() for _ in range(draw(st.integers(1, 3))))
            part.wires = [(socket, *source) for source in sources]
            if part.kind == "merge":
                part.data["mode"] = draw(st.sampled_from(("first", "all")))
        elif part.kind in ("call", "lost"):
            part.wires = [("params-in", "in", "params")]
        elif part.kind in NESTED:
            self._set_inner(part)
        else:
            part.wires = [("value-in", *self.pick())]
            if part.kind == "condition":
                part.data["expression"] = draw(st.sampled_from(("true", "false")))
        return part

    def _set_inner(self, part: Part) -> None:
        draw = self._draw
        source = (self.parts[-1].id, "items-out") if self._ends_with_list(part) else self.pick()
        part.wires = [(FIELD, *source)]
        part.is_called = part.kind == "sub" or draw(st.booleans())
        part.inner = draw(flows(self._depth - 1))
        if part.kind == "each":
            part.data["concurrency"] = draw(st.integers(1, 3))
            part.data["onItemError"] = draw(st.sampled_from(("null", "skip", "fail")))

    def _ends_with_list(self, part: Part) -> bool:
        return part.kind == "each" and bool(self.parts) and self.parts[-1].kind == "list"

    def result(self, *, is_single: bool) -> list[tuple[str, str, str]]:
        """Draw the outputs of the flow; the last parts are among them."""
        last = [source for source in self._sources if source[0] != "in"][-4:]
        sources = last[-1:] if is_single else last
        return [(f"o{number}", *source) for number, source in enumerate(sources)]


@st.composite
def flows(draw: st.DrawFn, depth: int = 2, *, is_root: bool = False) -> Flow:
    """Flows in which others are nested this deep at most; a root has named outputs."""
    has_index = draw(st.booleans())
    maker = _Maker(draw, depth, has_index=has_index)
    if not is_root and draw(st.booleans()):
        maker.add_picky()
    for _ in range(draw(st.integers(1, 5 if is_root else 2))):
        maker.add()
    is_single = not is_root and draw(st.booleans())
    result = maker.result(is_single=is_single)
    return Flow(parts=maker.parts, result=result, has_index=has_index, is_single=is_single)
