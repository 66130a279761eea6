"""Callers of workflows: the index of those whose live version or draft calls another."""

from collections.abc import Sequence

from engine.graph.calls import find_calls
from engine.graph.document import Document
from engine.graph.parse import MAX_NODES
from engine.store.redis import keyspace
from engine.store.redis.client import Client

MOST_CALLERS = 100
"""Callers that errors name."""


def join_calls(document: Document) -> str:
    """Return the calls of a document as the scripts that save it take them.

    A draft with more nodes than a graph may have when it runs has the first calls alone.
    """
    return " ".join(sorted(str(call) for call in find_calls(document.nodes))[:MAX_NODES])


class WorkflowCallers:
    """Finds the callers of workflows. The scripts that save and delete workflows write the index.

    Deleted workflows are no callers.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def of_live(self, account_id: str, slug: str) -> Sequence[str]:
        """Return the first workflows that call the live version of `slug`, without itself."""
        first, end = f"[{slug}/", f"({slug}0"
        members = await self._client.send(
            *("ZRANGE", keyspace.workflow_callers(account_id), first, end),
            *("BYLEX", "LIMIT", 0, MOST_CALLERS + 1),
        )
        callers = [member.decode().partition("/")[2] for member in members]
        return [caller for caller in callers if caller != slug][:MOST_CALLERS]
