"""Checks of graphs with the expressions in them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

from engine.graph.parse import ParsedGraph
from engine.graph.plan import examine_graph
from engine.nodes.support.settings import Judge
from engine.services.expressions import Expressions
from engine.values.cel import Expression

LARGE_GRAPH = 200
"""Nodes and edges from which on a graph is checked in a thread."""
Elements = Sequence[Mapping[str, Any]]
"""Nodes or edges of a document."""


class GraphChecker:
    """Checks graphs of accounts before a save, a run or for an editor."""

    def __init__(self, expressions: Expressions, *, allow_private: bool) -> None:
        self.expressions = expressions
        self.allow_private = allow_private
        """Nodes may name private addresses."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, *, allow_private: bool) -> "AsyncIterator[GraphChecker]":
        """Yield a checker; its processes end with the context."""
        expressions = Expressions()
        try:
            yield cls(expressions, allow_private=allow_private)
        finally:
            await expressions.close()

    async def examine(self, account_id: str, nodes: Elements, edges: Elements) -> ParsedGraph:
        """Parse a graph and find all its problems, but for those of assets and secrets.

        Raises Unavailable where its expressions cannot be checked now.
        """
        asked: list[Expression] = []
        graph = await self._examine(nodes, edges, asked.append)
        faults = await self.expressions.check(account_id, asked)
        return await self._examine(nodes, edges, faults.get) if any(faults.values()) else graph

    async def _examine(self, nodes: Elements, edges: Elements, judge: Judge) -> ParsedGraph:
        examine = partial(
            examine_graph,
            nodes,
            edges,
            allow_private=self.allow_private,
            allow_reserved=False,
            judge=judge,
        )
        if len(nodes) + len(edges) < LARGE_GRAPH:
            return examine()
        return await asyncio.to_thread(examine)
