"""Graph of a draft, as an execution of the draft keeps it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidGraph
from engine.graph.bodies import graph_size
from engine.graph.features import needs_of
from engine.graph.plan import Plan, compile_plan, examine_graph, plan_sound_part

NODE_MEMBERS = ("id", "type", "data")
"""Members of a node that concern a run."""
LARGE_GRAPH = 200
"""Nodes and edges from which on a graph is compiled outside the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftGraph:
    """Nodes and edges of a draft, and the node that is run with what it needs; None: all."""

    nodes: Sequence[Mapping[str, Any]]
    edges: Sequence[Mapping[str, Any]]
    only: str | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the graph as plain values, without positions."""
        nodes = [{name: node[name] for name in NODE_MEMBERS if name in node} for node in self.nodes]
        record = {"nodes": nodes, "edges": list(self.edges), "only": self.only}
        if needs := needs_of(self.nodes, self.edges):
            record["needs"] = needs
        return record

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "DraftGraph":
        """Return the graph of a record."""
        return cls(nodes=record["nodes"], edges=record["edges"], only=record["only"])

    async def compile_aside(self) -> Plan:
        """Compile the graph like `compile`, a large one in a thread. Raises InvalidGraph."""
        if graph_size(self.nodes, self.edges) < LARGE_GRAPH:
            return self.compile()
        return await asyncio.to_thread(self.compile)

    def compile(self) -> Plan:
        """Compile the graph, with `only` as far as it has no problems. Raises InvalidGraph."""
        if self.only is None:
            return compile_plan(self.nodes, self.edges)
        graph = examine_graph(self.nodes, self.edges)
        if self.only not in graph.nodes or not graph.nodes[self.only].is_sound:
            raise InvalidGraph([problem.as_dict() for problem in graph.problems])
        return plan_sound_part(graph, self.only)
