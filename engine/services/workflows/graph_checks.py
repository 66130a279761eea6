"""Checks of graphs with the expressions in them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from engine.graph.bodies import Elements, graph_size
from engine.graph.parsed import Callees, ParsedGraph
from engine.graph.plan import examine_graph
from engine.process.account_semaphore import AccountSemaphore
from engine.services.expressions import Expressions
from engine.values.cel import Expression

LARGE_GRAPH = 200
"""Nodes and edges from which on a graph is checked in a thread."""
THREADS = 2
THREADS_OF_ACCOUNT = 1

T = TypeVar("T")


class GraphChecker:
    """Checks graphs of accounts before a save, a run or for an editor."""

    def __init__(self, expressions: Expressions, *, allow_private: bool) -> None:
        self.expressions = expressions
        self.allow_private = allow_private
        """Nodes may name private addresses."""
        self._threads = AccountSemaphore(THREADS, share=THREADS_OF_ACCOUNT)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, *, allow_private: bool) -> "AsyncIterator[GraphChecker]":
        """Yield a checker; its processes end with the context."""
        expressions = Expressions()
        try:
            yield cls(expressions, allow_private=allow_private)
        finally:
            await expressions.close()

    async def examine(
        self, account_id: str, nodes: Elements, edges: Elements, callees: Callees
    ) -> ParsedGraph:
        """Parse a graph and find all its problems, but for those of assets and secrets.

        `callees` are the workflows that its nodes call (`resolve_callees`). Raises Unavailable
        where its expressions cannot be checked now.
        """
        asked: list[Expression] = []
        examine = partial(
            examine_graph,
            nodes,
            edges,
            allow_private=self.allow_private,
            allow_reserved=False,
            callees=callees,
        )
        size = graph_size(nodes, edges)
        graph = await self.compute(account_id, size, partial(examine, judge=asked.append))
        faults = await self.expressions.check(account_id, asked)
        if not any(faults.values()):
            return graph
        return await self.compute(account_id, size, partial(examine, judge=faults.get))

    async def compute(self, account_id: str, size: int, work: Callable[[], T]) -> T:
        """Do the work on a graph of this many nodes and edges, for a large one in a thread.

        One thread of an account works at a time: each further one would take turns of the
        interpreter from the event loop.
        """
        if size < LARGE_GRAPH:
            return work()
        async with self._threads.slot(account_id):
            return await asyncio.to_thread(work)
