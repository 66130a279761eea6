"""Static cost estimate: the inputs of charged nodes, as far as they are known before a run."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.graph.failures import fallback_of
from engine.graph.plan import Node, Plan
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import InEdge, WorkKind

MAX_WORK = 5_000
"""Items of lists and pieces of texts that the estimate of one run may examine."""
MAX_WORK_ONCE = 100_000
"""The same limit for the estimate of a plan's defaults, which is made once."""
PIECE_CHARACTERS = 256
"""Characters that count as one item."""
DEFAULTS = "cost estimate of the defaults"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValue:
    """Value of an edge before the run. One that is not exact may become another, or be absent."""

    value: Any = None
    is_exact: bool = False
    work: int = 0


UNKNOWN = KnownValue()


class CostEstimate:
    """Estimate of the inputs of a plan's charged nodes, made without running a node.

    Values pass through pure nodes. Of the outputs of other nodes at most the length of lists is
    known. Beyond the limit of work the estimate uses the values of the defaults, or none.
    """

    def __init__(
        self,
        plan: Plan,
        inputs: Mapping[str, Any],
        defaults: "CostEstimate | None" = None,
        *,
        knows_all: bool = True,
    ) -> None:
        """Create the estimate of a run with these inputs.

        Without `defaults` these are the defaults of the form. Null is unknown there, and unless
        the inputs are all known.
        """
        self._plan = plan
        self._run_inputs = inputs
        self._defaults = defaults
        self._knows_all = knows_all and defaults is not None
        self._variable: Collection[int] = defaults._variable if defaults else _find_variable(plan)
        self._outputs: dict[int, Mapping[str, KnownValue]] = (
            {} if defaults is None else {**defaults._outputs}
        )
        self._usages: dict[int, tuple[Model, Usage]] = {}
        self._work = 0
        for index in _find_ancestors(plan) if defaults is None else defaults._outputs:
            if defaults is None or index in self._variable:
                self._outputs[index] = self._estimate(plan.nodes[index])

    def usage(self, index: int, model: Model) -> Usage:
        """Return the most that a charged node can use with the present version of its model."""
        if self._defaults is not None and index not in self._variable:
            return self._defaults.usage(index, model)
        known = self._usages.get(index)
        if known is None or known[0] is not model:
            node = self._plan.nodes[index]
            inputs, unknown = self.inputs(node)
            known = model, node.type.max_usage(node.settings, inputs, unknown)
            self._usages[index] = known
        return known[1]

    def _estimate(self, node: Node) -> Mapping[str, KnownValue]:
        if node.index == self._plan.request_input:
            return self._estimate_form()
        self._work += sum(self._find(edge).work for edge in node.in_edges)
        if self._work > (MAX_WORK if self._defaults else MAX_WORK_ONCE):
            assumed = self._outputs.get(node.index, {})
            return {name: replace(each, is_exact=False) for name, each in assumed.items()}
        inputs, unknown = self.inputs(node)
        is_exact = node.type.kind is WorkKind.PURE and not unknown
        try:
            outputs = node.type.estimate_outputs(node.settings, inputs, unknown)
        except NodeFailed:
            outputs = {}
            is_exact = False
        if not is_exact:
            outputs = _or_fallback(node, outputs)
        return {name: self._measure(value, is_exact=is_exact) for name, value in outputs.items()}

    def _estimate_form(self) -> Mapping[str, KnownValue]:
        outputs = outputs_of(self._plan.fields, self._run_inputs)
        return {
            name: self._measure(value, is_exact=self._knows_all or value is not None)
            for name, value in outputs.items()
        }

    def _measure(self, value: Any, *, is_exact: bool) -> KnownValue:
        work = _work_of(value)
        self._work += work
        return KnownValue(value=value, is_exact=is_exact, work=work)

    def _find(self, edge: InEdge) -> KnownValue:
        return self._outputs[edge.source].get(edge.output, UNKNOWN)

    def inputs(self, node: Node) -> tuple[dict[str, Any], set[str]]:
        """Return the known inputs of a node, and the sockets whose values are not exact."""
        inputs: dict[str, Any] = {}
        unknown = set()
        for edge in node.in_edges:
            known = self._find(edge)
            if edge.socket in node.many:
                inputs.setdefault(edge.socket, []).append(known.value)
            elif known.is_exact or known.value is not None:
                inputs[edge.socket] = known.value
            if not known.is_exact:
                unknown.add(edge.socket)
        return inputs, unknown


def _or_fallback(node: Node, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the outputs of a node that may fail: lists as long as its fallback values."""
    found = {**outputs}
    for name, value in (fallback_of(node) or {}).items():
        length = max(_length(found.get(name)), _length(value))
        found[name] = [None] * length if length else found.get(name)
    return found


def _length(value: Any) -> int:
    """Return the length of a list, 0 for any other value."""
    return len(value) if isinstance(value, list) else 0


def of_defaults(plan: Plan) -> CostEstimate:
    """Return the estimate of a run without inputs; it is made once for a plan."""
    found = plan.derived.get(DEFAULTS)
    if not isinstance(found, CostEstimate):
        found = CostEstimate(plan, {field.name: field.default for field in plan.fields})
        plan.derived[DEFAULTS] = found
    return found


def of_run(plan: Plan, inputs: Mapping[str, Any]) -> CostEstimate:
    """Return the estimate of a run, at the cost of the nodes that these inputs change."""
    return CostEstimate(plan, inputs, of_defaults(plan))


def of_child(plan: Plan, inputs: Mapping[str, Any]) -> CostEstimate:
    """Return the estimate of a child of which some inputs are known; the defaults fill the rest."""
    filled = {field.name: inputs.get(field.name, field.default) for field in plan.fields}
    return CostEstimate(plan, filled, of_defaults(plan), knows_all=False)


def _find_ancestors(plan: Plan) -> list[int]:
    """Return the ancestors of charged nodes and of those with children, in plan order."""
    found: set[int] = set()
    pending = [*plan.models, *plan.children]
    while pending:
        new = set(plan.nodes[pending.pop()].dependencies) - found
        found |= new
        pending.extend(new)
    return sorted(found)


def _find_variable(plan: Plan) -> Collection[int]:
    """Return the Request Input and its descendants."""
    found: set[int] = set()
    pending = [] if plan.request_input is None else [plan.request_input]
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending.extend(plan.nodes[index].dependents)
    return found


def _work_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // PIECE_CHARACTERS
    if isinstance(value, dict):
        return _work_of_all(value.values())
    return _work_of_all(value) if isinstance(value, list) else 0


def _work_of_all(values: Iterable[Any]) -> int:
    return sum(1 + _work_of(each) for each in values)
