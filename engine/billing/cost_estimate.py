"""What the charged nodes of a plan will be given, as far as it is known before a run."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.graph.plan import Node, Plan
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import InEdge, WorkKind

MAX_WORK = 5_000
"""Items of lists, and pieces of texts, that one look goes through."""
MAX_WORK_ONCE = 100_000
"""The same for what is found once for a plan."""
PIECE = 256
"""Characters that count as one item."""
DEFAULTS = "the outlook of the defaults"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValue:
    """What a wire brings. What is not whole may be another value, or nothing at all."""

    value: Any = None
    is_exact: bool = False
    work: int = 0


UNKNOWN = KnownValue()


class CostEstimate:
    """A look at what comes to the charged nodes of a plan; no node is run for it.

    Values go through pure nodes. Of what others give it is known at most how long a list it is.
    What would be too much work is supposed to be as the defaults make it, or is not known.
    """

    def __init__(
        self, plan: Plan, given: Mapping[str, Any], defaults: "CostEstimate | None" = None
    ) -> None:
        """`given` are the inputs of a run; without `defaults`, those of the form, where null is
        what a caller has yet to say."""
        self._plan = plan
        self._given = given
        self._defaults = defaults
        self._moving: Collection[int] = defaults._moving if defaults else _find_moving(plan)
        self._seen: dict[int, Mapping[str, KnownValue]] = (
            {} if defaults is None else {**defaults._seen}
        )
        self._usages: dict[int, tuple[Model, Usage]] = {}
        self._work = 0
        for index in _find_sources(plan) if defaults is None else defaults._seen:
            if defaults is None or index in self._moving:
                self._seen[index] = self._see(plan.nodes[index])

    def usage(self, index: int, model: Model) -> Usage:
        """The most that a charged node uses, whose model this is now."""
        if self._defaults is not None and index not in self._moving:
            return self._defaults.usage(index, model)
        known = self._usages.get(index)
        if known is None or known[0] is not model:
            node = self._plan.nodes[index]
            inputs, unknown = self._inputs(node)
            known = model, node.type.max_usage(node.settings, inputs, unknown)
            self._usages[index] = known
        return known[1]

    def _see(self, node: Node) -> Mapping[str, KnownValue]:
        if node.index == self._plan.request_input:
            return self._see_form()
        self._work += sum(self._find(wire).work for wire in node.in_edges)
        if self._work > (MAX_WORK if self._defaults else MAX_WORK_ONCE):
            supposed = self._seen.get(node.index, {})
            return {name: replace(seen, is_exact=False) for name, seen in supposed.items()}
        inputs, unknown = self._inputs(node)
        try:
            outputs = node.type.estimate_outputs(node.settings, inputs, unknown)
        except NodeFailed:
            return {}
        is_exact = node.type.kind is WorkKind.PURE and not unknown
        return {name: self._weigh(value, is_exact=is_exact) for name, value in outputs.items()}

    def _see_form(self) -> Mapping[str, KnownValue]:
        is_run = self._defaults is not None
        outputs = outputs_of(self._plan.fields, self._given)
        return {
            name: self._weigh(value, is_exact=is_run or value is not None)
            for name, value in outputs.items()
        }

    def _weigh(self, value: Any, *, is_exact: bool) -> KnownValue:
        work = _work_of(value)
        self._work += work
        return KnownValue(value=value, is_exact=is_exact, work=work)

    def _find(self, wire: InEdge) -> KnownValue:
        return self._seen[wire.source].get(wire.output, UNKNOWN)

    def _inputs(self, node: Node) -> tuple[dict[str, Any], set[str]]:
        """What is known of a node's inputs, and the sockets that bring more, or something else."""
        inputs: dict[str, Any] = {}
        unknown = set()
        for wire in node.in_edges:
            seen = self._find(wire)
            if wire.socket in node.many:
                inputs.setdefault(wire.socket, []).append(seen.value)
            elif seen.is_exact or seen.value is not None:
                inputs[wire.socket] = seen.value
            if not seen.is_exact:
                unknown.add(wire.socket)
        return inputs, unknown


def of_defaults(plan: Plan) -> CostEstimate:
    """The outlook of a run without inputs, found once for a plan."""
    found = plan.derived.get(DEFAULTS)
    if not isinstance(found, CostEstimate):
        found = CostEstimate(plan, {field.name: field.default for field in plan.fields})
        plan.derived[DEFAULTS] = found
    return found


def of_run(plan: Plan, inputs: Mapping[str, Any]) -> CostEstimate:
    """The outlook of a run with these inputs, which costs no more than what they change."""
    return CostEstimate(plan, inputs, of_defaults(plan))


def _find_sources(plan: Plan) -> list[int]:
    """The nodes that charged ones depend on, in order."""
    found: set[int] = set()
    left = list(plan.models)
    while left:
        new = set(plan.nodes[left.pop()].dependencies) - found
        found |= new
        left.extend(new)
    return sorted(found)


def _find_moving(plan: Plan) -> Collection[int]:
    """The nodes whose inputs depend on what a caller gives, and the form."""
    found: set[int] = set()
    left = [] if plan.request_input is None else [plan.request_input]
    while left:
        index = left.pop()
        if index not in found:
            found.add(index)
            left.extend(plan.nodes[index].dependents)
    return found


def _work_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // PIECE
    if isinstance(value, dict):
        return _work_of_all(value.values())
    return _work_of_all(value) if isinstance(value, list) else 0


def _work_of_all(values: Iterable[Any]) -> int:
    return sum(1 + _work_of(each) for each in values)
