"""Port to the history for those who remove what no execution needs any more."""

from collections.abc import Iterable
from typing import Protocol

ExecutionIds = tuple[str, str]
"""Account id and execution id."""


class ArchiveLookup(Protocol):
    """Knows the executions that Redis may have forgotten. Every call may raise Unavailable."""

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions that the history has."""
        ...


class NoArchive:
    """Absent history: Redis has every execution."""

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        return set()
