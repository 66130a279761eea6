"""Plans of pure nodes, prepared once, so that a small run of one is a short loop.

All such runs of a plan go alike: a pure node gives all its outputs, so no branch is left out, and a
failure leaves the run to the walk with a claim. Order, statuses and rows are those of the plan.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from engine.executions.rows import pack_short_rows
from engine.executions.statuses import NodeStatus, format_node_statuses
from engine.graph.failures import has_error_out
from engine.graph.plan import Node, Plan
from engine.graph.plan_digest import plan_digest
from engine.graph.progress import Progress, initial_statuses, inputs_of
from engine.graph.replay import PureContext
from engine.nodes.request_input import PARAMS, RequestInputSettings, outputs_of
from engine.nodes.response_output import RESULT, plain_result
from engine.nodes.support.base import Context, InEdge, Outputs
from engine.nodes.text_box import TEXT_OUT, TextBox
from engine.services.runs.pure_children import PureWalk
from engine.store.redis.record_packing import pack, unpack
from engine.telemetry import metrics
from engine.values.templates import Placeholder, to_text

PREPARED = "workers.walk.fast.pure_plans"
"""Key of the prepared plan in `Plan.derived`."""
HEAD_BYTES = 16
"""Most bytes of a packed text output besides those of the text."""
RESULT_HEAD_BYTES = len(pack({RESULT: None})) - len(pack(None))


class _Call(NamedTuple):
    """Call of a node's type; `edges` are its in-edges with the positions of their values."""

    node: Node
    edges: tuple[tuple[InEdge, int], ...]
    outputs: tuple[str, ...]
    """Outputs that become values of the run."""
    texts: tuple[Placeholder, ...]
    """Parts of the outputs that become values of the run as text, after these."""
    empty_bytes: int
    """Packed size of a Request Input's outputs without inputs; 0 for a node that must be called.

    A Request Input is not called when its wired outputs are fields, and so inputs of the run.
    """

    def run(self, values: Sequence[Any], inputs: Mapping[str, Any]) -> Outputs:
        """Return the outputs of the node. A pure node never waits, so its first step is all."""
        delivered = [(in_edge, values[position]) for in_edge, position in self.edges]
        node, context = self.node, cast(Context, PureContext(inputs, delivered))
        running = node.type.run(node.settings, inputs_of(node, delivered), context)
        try:
            running.send(None)
        except StopIteration as end:
            return cast(Outputs, end.value)
        raise AssertionError(f"a node of type '{node.type.type}' waited: it is not pure")

    def plain_result(self, values: Sequence[Any]) -> Any:
        """Return the result of a Response Output as the parent of a child gets it."""
        delivered = [(in_edge, values[position]) for in_edge, position in self.edges]
        return plain_result(self.node.settings, inputs_of(self.node, delivered), delivered)


class _Step(NamedTuple):
    """One node: a call, or else a text that is filled."""

    node_index: int
    uses: int
    """Number of values that the node reads, counting repeats."""
    sources: tuple[int, ...]
    """Source of each in-edge."""
    form: str
    """Text with a `%s` for each value that `pick` returns."""
    pick: Callable[[Sequence[Any]], Any]
    call: _Call | None

    def fits(self, values: Sequence[Any], sizes: Sequence[int], max_bytes: int) -> bool:
        """Return whether the values that the node takes are small together."""
        if sum([sizes[source] for source in self.sources]) > max_bytes:
            return False
        taken = self.pick(values)
        return len(taken if isinstance(taken, str) else "".join(taken)) <= max_bytes


class PurePlan:
    """Plan of pure nodes with the steps, rows and counters that all its small runs share."""

    def __init__(self, plan: Plan, order: Sequence[int], statuses: Sequence[NodeStatus]) -> None:
        self.codes = format_node_statuses(statuses)
        """Final statuses of all nodes."""
        self.digest = plan_digest(plan)
        self.rows = pack_short_rows(order)
        """Packed rows of the nodes: none takes a time that milliseconds could tell."""
        self._steps = tuple(_Preparation(plan, order).steps())
        self._no_sizes = [0] * len(plan.nodes)
        self._counts = _find_counters(plan, order)

    @classmethod
    def prepare(cls, plan: Plan) -> "PurePlan | None":
        """Return the prepared plan, made once for each plan; None: its runs need a claim."""
        if PREPARED not in plan.derived:
            plan.derived[PREPARED] = cls._prepare(plan)
        prepared: PurePlan | None = plan.derived[PREPARED]
        return prepared

    @classmethod
    def _prepare(cls, plan: Plan) -> "PurePlan | None":
        if not plan.is_pure or plan.response_output is None:
            return None
        if any(has_error_out(plan.nodes[index]) for index in plan.reachable):
            return None  # nodes that complete leave out a branch
        outputs: dict[int, dict[str, Any]] = {node.index: {} for node in plan.nodes}
        for node in plan.nodes:
            for in_edge in node.in_edges:
                outputs[in_edge.source][in_edge.output] = None
        progress, order = Progress(plan, initial_statuses(plan)), list[int]()
        while progress.ready:
            order.append(index := progress.ready.pop(0))
            progress.settle(index, NodeStatus.COMPLETED, outputs[index])
        return cls(plan, order, progress.statuses)

    def walk(self, packed_inputs: bytes, max_bytes: int) -> bytes | None:
        """Return the packed result; None when a node fails, or when values are too large."""
        try:
            return self._walk(unpack(packed_inputs), len(packed_inputs), max_bytes)
        except Exception:  # the walk with a claim meets it again, and records it
            return None

    def walk_child(self, packed_inputs: bytes, max_bytes: int) -> PureWalk | None:
        """Walk a child like `walk`, and return its result for its parent as well."""
        values: list[Any] = []
        try:
            inputs = unpack(packed_inputs)
            result = self._walk(inputs, len(packed_inputs), max_bytes, values)
            last = self._steps[-1].call
            if result is None or last is None:
                return None
            plain = pack(last.plain_result(values))
        except Exception:
            return None
        return PureWalk(
            codes=self.codes,
            rows=self.rows,
            result=result,
            plain=plain,
            size=len(packed_inputs) + len(result),
        )

    def _walk(
        self,
        inputs: Any,
        input_bytes: int,
        max_bytes: int,
        values: list[Any] | None = None,
    ) -> bytes | None:
        """Return the packed result, and add the values of the run to `values`."""
        if not isinstance(inputs, dict):
            return None
        outputs: Outputs
        values = [] if values is None else values
        sizes, total, packed = self._no_sizes.copy(), 0, b""
        for step in self._steps:
            index, uses, _, form, pick, call = step
            if uses * total > max_bytes and not step.fits(values, sizes, max_bytes):
                return None
            if call is None:
                text = form % pick(values)
                values.append(text)
                size = HEAD_BYTES + (len(text) if text.isascii() else len(text.encode()))
            else:
                if call.empty_bytes:
                    outputs, size = inputs, call.empty_bytes + input_bytes
                else:
                    outputs = call.run(values, inputs)
                    packed = pack(outputs)
                    size = len(packed)
                values += [outputs.get(name) for name in call.outputs]
                values += [to_text(part.read(outputs)) for part in call.texts]
            sizes[index] = size
            total += size
            if total > max_bytes:
                return None
        return packed[RESULT_HEAD_BYTES:]  # the node that gives the result is the last one

    def count(self) -> None:
        """Count the ended nodes of a run in the metrics."""
        for increment, number in self._counts:
            increment(number)


class _Preparation:
    """Makes the steps, and gives each value of a run its position."""

    def __init__(self, plan: Plan, order: Sequence[int]) -> None:
        self._all = plan.nodes
        self._nodes = [plan.nodes[index] for index in order]
        self._outputs: dict[int, dict[str, None]] = {index: {} for index in order}
        """Outputs of each node that calls take."""
        self._texts: dict[int, dict[Placeholder, None]] = {index: {} for index in order}
        """Parts of the outputs of each node that texts contain."""
        self._positions: dict[tuple[int, str | Placeholder], int] = {}
        self._count = 0

    def steps(self) -> Iterator[_Step]:
        """Return the steps in order."""
        for node in self._nodes:
            if self._is_form(node):
                for source, part in self._parts(node):
                    self._texts[source][part] = None
            else:
                for in_edge in node.in_edges:
                    self._outputs[in_edge.source][in_edge.output] = None
        for node in self._nodes:
            yield self._form(node) if self._is_form(node) else self._call(node)

    def _is_form(self, node: Node) -> bool:
        """Return whether the node fills a text, and does not fail by reading a member of one."""
        return isinstance(node.type, TextBox) and not any(
            part.path and isinstance(self._all[source].type, TextBox)
            for source, part in self._parts(node)
        )

    def _parts(self, node: Node) -> Iterator[tuple[int, Placeholder]]:
        """Return the source of each wired placeholder, with the part of the outputs that it is."""
        in_edges = {in_edge.socket: in_edge for in_edge in node.in_edges}
        for part in node.settings.parts:
            if not isinstance(part, str) and part.name in in_edges:
                in_edge = in_edges[part.name]
                yield in_edge.source, Placeholder(name=in_edge.output, path=part.path)

    def _form(self, node: Node) -> _Step:
        wired = {in_edge.socket for in_edge in node.in_edges}
        form = "".join(
            part.replace("%", "%%") if isinstance(part, str) else "%s" * (part.name in wired)
            for part in node.settings.parts
        )
        taken = [self._positions[each] for each in self._parts(node)]
        self._place(node, TEXT_OUT)
        self._positions[node.index, Placeholder(name=TEXT_OUT)] = self._count - 1
        return _step(node, form=form, taken=taken)

    def _call(self, node: Node) -> _Step:
        edges = tuple(
            (in_edge, self._positions[in_edge.source, in_edge.output]) for in_edge in node.in_edges
        )
        outputs, texts = tuple(self._outputs[node.index]), tuple(self._texts[node.index])
        for output in outputs:
            self._place(node, output)
        for part in texts:
            self._place(node, part)
        settings, empty_bytes = node.settings, 0
        if isinstance(settings, RequestInputSettings) and not self._takes_params(node):
            empty_bytes = len(pack(outputs_of(settings.fields, {})))
        return _step(node, call=_Call(node, edges, outputs, texts, empty_bytes))

    def _takes_params(self, node: Node) -> bool:
        """Return whether other nodes take the fields that have no output of their own."""
        texts = self._texts[node.index]
        return PARAMS in self._outputs[node.index] or any(part.name == PARAMS for part in texts)

    def _place(self, node: Node, value: str | Placeholder) -> None:
        self._positions[node.index, value] = self._count
        self._count += 1


def _step(
    node: Node, *, form: str = "", taken: Sequence[int] = (), call: _Call | None = None
) -> _Step:
    return _Step(
        node_index=node.index,
        uses=max(len(node.in_edges), len(taken)),
        sources=tuple(in_edge.source for in_edge in node.in_edges),
        form=form,
        pick=itemgetter(*taken) if taken else _pick_none,
        call=call,
    )


def _pick_none(values: Sequence[Any]) -> tuple[()]:
    return ()


def _find_counters(
    plan: Plan, order: Sequence[int]
) -> Sequence[tuple[Callable[[float], None], int]]:
    """Return the increment of each counter of ended nodes, and the number by which it grows."""
    numbers = Counter(plan.nodes[index].type.type for index in order)
    status = NodeStatus.COMPLETED.value
    return [
        (metrics.NODES_ENDED.labels(node_type, status).inc, number)
        for node_type, number in numbers.items()
    ]
