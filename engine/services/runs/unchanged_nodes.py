"""Nodes of a draft whose outputs would be those of an earlier execution."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.executions.statuses import NodeStatus
from engine.graph.bodies import without_positions
from engine.graph.plan import Node, Plan
from engine.nodes.assistant import Assistant
from engine.nodes.request_input import PARAMS
from engine.nodes.support.base import InEdge, NodeType, Outputs
from engine.nodes.support.children import ChildrenNode
from engine.nodes.support.failures import ERROR_OUT
from engine.store.redis.record_packing import unpack

RawNodes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRun:
    """Earlier execution: its plan, the document's nodes by id, and how each node ended."""

    plan: Plan
    raw: RawNodes
    statuses: Sequence[NodeStatus]
    outputs: Mapping[int, bytes | str | None]
    """Outputs on record, packed or by the names of their objects."""
    form: Outputs
    """Outputs of its Request Input."""
    pinned: Collection[int]
    """Nodes whose outputs its caller had set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftToRun:
    """Run of a draft that is about to begin."""

    plan: Plan
    raw: RawNodes
    form: Outputs
    """Outputs of its Request Input."""
    pinned: Mapping[int, Outputs]
    """Outputs that its caller sets, by node."""
    excluded: Collection[int]
    """Nodes that run in any case."""


def find_unchanged(
    new: DraftToRun, former: FormerRun, same_asset: Callable[[Any], Any]
) -> dict[int, int]:
    """Return the completed nodes whose definition and inputs are unchanged, with former indexes.

    `same_asset` returns an asset's id for a link to it, and any other value as it is.
    """
    comparison = _Comparison(new, former, same_asset)
    for node in new.plan.nodes:
        comparison.examine(node)
    return comparison.taken


def is_same(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal as JSON, whatever the order of members."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


class _Comparison:
    """Compares the nodes in plan order."""

    def __init__(
        self, new: DraftToRun, former: FormerRun, same_asset: Callable[[Any], Any]
    ) -> None:
        self._new = new
        self._former = former
        self._same_asset = same_asset
        self._former_at = {node.id: node.index for node in former.plan.nodes}
        self._skipped: set[int] = set()
        self._compared: dict[tuple[int, str, str | None], bool] = {}
        """Outcomes by source, output and member: many nodes may take one large value."""
        self.taken: dict[int, int] = {}

    def examine(self, node: Node) -> None:
        """Take a node if it is unchanged and completed; note it if it was skipped."""
        new, former_index = self._new, self._former_at.get(node.id)
        ends = (new.plan.request_input, new.plan.response_output)
        if former_index is None or node.index in ends or node.index in new.pinned:
            return
        if node.index in new.excluded or former_index in self._former.pinned:
            return
        if not self._is_defined_alike(node, self._former.plan.nodes[former_index]):
            return
        if not all(self._is_source_same(node, edge) for edge in node.in_edges):
            return
        status = self._former.statuses[former_index]
        if status is NodeStatus.SKIPPED:
            self._skipped.add(node.index)
        elif status is NodeStatus.COMPLETED and self._gave_enough(node, former_index):
            self.taken[node.index] = former_index

    def _is_defined_alike(self, node: Node, former: Node) -> bool:
        one, other = self._new.raw[node.id], self._former.raw[node.id]
        return (
            one["type"] == other["type"]
            and is_same(*(without_positions([each])[0].get("data") for each in (one, other)))
            and _wires(self._new.plan, node) == _wires(self._former.plan, former)
            and _is_bound_alike(node, former)
        )

    def _gave_enough(self, node: Node, former_index: int) -> bool:
        """Return whether the outputs that are wired now were wired then, or are on record."""
        former = self._former
        outputs = former.outputs.get(former_index)
        if outputs is None:
            return False
        more = _wired(self._new.plan, node) - _wired(former.plan, former.plan.nodes[former_index])
        if not more or len(node.type.outputs(node.settings)) == 1:
            return True
        return isinstance(outputs, bytes) and more <= set(unpack(outputs))

    def _is_source_same(self, node: Node, edge: InEdge) -> bool:
        if edge.source == self._new.plan.request_input:
            return self._is_form_same(node, edge)
        if edge.source in self._new.pinned:
            return self._once(edge, None, self._is_pin_same)
        return edge.source in self.taken or edge.source in self._skipped

    def _is_form_same(self, node: Node, edge: InEdge) -> bool:
        if edge.output != PARAMS:
            return self._once(edge, None, self._is_value_same)
        members = node.type.reads(node.settings, edge.socket)
        if members is None:
            return self._once(edge, None, self._is_member_same)
        return all(self._once(edge, each, self._is_member_same) for each in members)

    def _once(
        self, edge: InEdge, member: str | None, compare: Callable[[InEdge, str | None], bool]
    ) -> bool:
        """Return the outcome of a comparison, which is made once for all edges of an output."""
        place = edge.source, edge.output, member
        if place not in self._compared:
            self._compared[place] = compare(edge, member)
        return self._compared[place]

    def _is_value_same(self, edge: InEdge, _: str | None) -> bool:
        one, other = self._new.form.get(edge.output), self._former.form.get(edge.output)
        return is_same(self._same_asset(one), self._same_asset(other))

    def _is_member_same(self, edge: InEdge, member: str | None) -> bool:
        one, other = self._new.form.get(edge.output), self._former.form.get(edge.output)
        if member is None:
            return is_same(one, other)
        return is_same((one or {}).get(member), (other or {}).get(member))

    def _is_pin_same(self, edge: InEdge, _: str | None) -> bool:
        former_index = self._former_at[self._new.plan.nodes[edge.source].id]
        outputs = self._former.outputs.get(former_index)
        if not isinstance(outputs, bytes):
            return False
        pinned, former = self._new.pinned[edge.source], unpack(outputs)
        if (edge.output in pinned) is not (edge.output in former):
            return False
        one, other = pinned.get(edge.output), former.get(edge.output)
        return is_same(self._same_asset(one), self._same_asset(other))


def _is_bound_alike(node: Node, former: Node) -> bool:
    """Return whether the wires from both nodes mean the same for their outputs."""
    decides_on_given = isinstance(node.type, (Assistant, ChildrenNode))
    if decides_on_given or type(node.type).bind is NodeType.bind:
        return True  # their wires decide only on the outputs that they give
    return bool(node.settings == former.settings)


def _wires(plan: Plan, node: Node) -> list[tuple[str, str, str]]:
    """Return source, output and socket of each edge to a node, in document order."""
    return [(plan.nodes[edge.source].id, edge.output, edge.socket) for edge in node.in_edges]


def _wired(plan: Plan, node: Node) -> set[str]:
    """Return the outputs of a completed node that have edges."""
    edges = (edge for each in node.dependents for edge in plan.nodes[each].in_edges)
    return {edge.output for edge in edges if edge.source == node.index} - {ERROR_OUT}
