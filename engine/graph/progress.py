"""Progress of an execution through its plan: ready, skipped and pending nodes. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.executions.statuses import NODE_TERMINAL, NodeStatus, format_node_statuses
from engine.graph.plan import Node, Plan
from engine.nodes.support.base import InEdge, Outputs

INITIAL_CODES = "engine.graph.progress.initial_codes"


def initial_statuses(plan: Plan) -> list[NodeStatus]:
    """Return the first status of each node: pending if it leads to the output, else skipped."""
    return [
        NodeStatus.PENDING if node.index in plan.reachable else NodeStatus.SKIPPED
        for node in plan.nodes
    ]


def initial_codes(plan: Plan) -> str:
    """Return the codes of the first statuses, made once for each plan."""
    if INITIAL_CODES not in plan.derived:
        plan.derived[INITIAL_CODES] = format_node_statuses(initial_statuses(plan))
    codes: str = plan.derived[INITIAL_CODES]
    return codes


class Progress:
    """State of one execution as its nodes settle.

    Statuses are in plan order. Outputs are kept for as long as a dependent may need them; a failed
    node without any delivers null at each socket.
    """

    __slots__ = ("_plan", "_skipped", "_statuses", "_unsettled", "_waiting", "outputs", "ready")

    def __init__(
        self,
        plan: Plan,
        statuses: Sequence[NodeStatus],
        outputs: Mapping[int, Outputs | None] | None = None,
    ) -> None:
        self._plan = plan
        self._statuses = list(statuses)
        self.outputs: dict[int, Outputs | None] = dict(outputs or {})
        self.ready: list[int] = []
        """Unstarted nodes whose dependencies have all settled; a deque takes 700 bytes."""
        self._skipped: list[int] = []
        self._waiting = [
            sum(self._statuses[source] not in NODE_TERMINAL for source in node.dependencies)
            for node in plan.nodes
        ]
        self._unsettled = sum(status not in NODE_TERMINAL for status in self._statuses)
        first = [
            index
            for index, status in enumerate(statuses)
            if status is NodeStatus.PENDING and not self._waiting[index]
        ]
        for index in first:
            self._decide(index)

    @property
    def statuses(self) -> tuple[NodeStatus, ...]:
        """Statuses of all nodes."""
        return tuple(self._statuses)

    @property
    def is_done(self) -> bool:
        """True if every node has settled, counting skips that are not yet on record."""
        return not self._unsettled

    def status(self, index: int) -> NodeStatus:
        """Return the status of a node."""
        return self._statuses[index]

    def begin(self, index: int) -> None:
        """Mark a ready or retrying node as running."""
        self._statuses[index] = NodeStatus.RUNNING

    def postpone(self, index: int) -> None:
        """Mark a running node as retrying."""
        self._statuses[index] = NodeStatus.RETRYING

    def park(self, index: int) -> None:
        """Mark a running node as waiting for something that wakes it."""
        self._statuses[index] = NodeStatus.WAITING

    def give_back(self, index: int) -> None:
        """Make a running node ready again, because its worker is gone."""
        self._statuses[index] = NodeStatus.PENDING
        self.ready.append(index)

    def settle(self, index: int, status: NodeStatus, outputs: Outputs | None = None) -> None:
        """Record the end of a node. A failed one without outputs delivers nulls."""
        if self._statuses[index] in NODE_TERMINAL:
            return
        self._statuses[index] = status
        self._unsettled -= 1
        self.outputs[index] = outputs
        waiting = self._waiting
        for dependent in self._plan.nodes[index].dependents:
            waiting[dependent] -= 1
            if not waiting[dependent] and self._statuses[dependent] is NodeStatus.PENDING:
                self._decide(dependent)

    def take_skipped(self) -> list[int]:
        """Return the nodes skipped since the last call."""
        skipped, self._skipped = self._skipped, []
        return skipped

    def _decide(self, index: int) -> None:
        if self._may_run(index):
            self.ready.append(index)
        else:
            self._skip(index)

    def _may_run(self, index: int) -> bool:
        is_output = index == self._plan.response_output
        return is_output or self._is_every_socket_delivered(self._plan.nodes[index])

    def _skip(self, index: int) -> None:
        # Skips cascade; the stack keeps a long chain from recursing.
        stack = [index]
        while stack:
            current = stack.pop()
            node = self._plan.nodes[current]
            if current != index and self._may_run(current):
                self.ready.append(current)
                continue
            self._statuses[current] = NodeStatus.SKIPPED
            self._unsettled -= 1
            self._skipped.append(current)
            for dependent in node.dependents:
                self._waiting[dependent] -= 1
                if not self._waiting[dependent] and self._statuses[dependent] is NodeStatus.PENDING:
                    stack.append(dependent)

    def _is_every_socket_delivered(self, node: Node) -> bool:
        """Return True if each wired socket got a value; a socket of many edges needs only one."""
        statuses, outputs = self._statuses, self.outputs
        for in_edge in node.in_edges:
            source = in_edge.source
            if statuses[source] is not NodeStatus.COMPLETED:
                break
            delivered = outputs.get(source)
            if delivered is None or in_edge.output not in delivered:
                break
        else:
            return True
        return self._is_every_socket_served(node)

    def _is_every_socket_served(self, node: Node) -> bool:
        missing = [in_edge for in_edge in node.in_edges if not self._is_delivered(in_edge)]
        if not missing:
            return True
        delivered = {in_edge.socket for in_edge in node.in_edges if self._is_delivered(in_edge)}
        return all(in_edge.socket in delivered for in_edge in missing)

    def _is_delivered(self, in_edge: InEdge) -> bool:
        status, outputs = self._statuses[in_edge.source], self.outputs.get(in_edge.source)
        if status is NodeStatus.FAILED and outputs is None:
            return True
        has_outputs = status is NodeStatus.COMPLETED or status is NodeStatus.FAILED
        return has_outputs and outputs is not None and in_edge.output in outputs

    def delivered(self, index: int) -> list[tuple[InEdge, Any]]:
        """Return the in-edges of a node that delivered a value, with it, in document order."""
        found: list[tuple[InEdge, Any]] = []
        statuses, all_outputs = self._statuses, self.outputs
        for in_edge in self._plan.nodes[index].in_edges:
            status = statuses[in_edge.source]
            if status is NodeStatus.COMPLETED:
                outputs = all_outputs[in_edge.source]
                if outputs is not None and in_edge.output in outputs:
                    found.append((in_edge, outputs[in_edge.output]))
            elif status is NodeStatus.FAILED:
                outputs = all_outputs.get(in_edge.source)
                if outputs is None or in_edge.output in outputs:
                    found.append((in_edge, None if outputs is None else outputs[in_edge.output]))
        return found

    def inputs(self, index: int, delivered: list[tuple[InEdge, Any]]) -> dict[str, Any]:
        """Return the node's inputs by socket."""
        return inputs_of(self._plan.nodes[index], delivered)


def inputs_of(node: Node, delivered: Sequence[tuple[InEdge, Any]]) -> dict[str, Any]:
    """Return a node's inputs by socket; a socket of many edges gets a list."""
    many = node.many
    if not many:
        return {in_edge.socket: value for in_edge, value in delivered}
    values: dict[str, Any] = {}
    for in_edge, value in delivered:
        if in_edge.socket in many:
            values.setdefault(in_edge.socket, []).append(value)
        else:
            values[in_edge.socket] = value
    return values
