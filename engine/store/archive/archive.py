"""Port to the history: ended executions that Redis may have forgotten."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.executions.execution import Execution
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.filters import ExecutionFilter, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedExecution:
    """Execution without nodes and result, and the packed size of its result."""

    execution: Execution
    result_bytes: int

    @property
    def row(self) -> Row:
        """Return its place in lists."""
        return self.execution.created_at, self.execution.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPage:
    """Matching executions, newest first, and the last examined row, None where none follows."""

    executions: Sequence[ArchivedExecution] = ()
    last: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedCount:
    """Number of matches, and whether there are no more."""

    count: int = 0
    is_all: bool = True


class Archive(Protocol):
    """Reader of the history; every call may raise Unavailable."""

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution, None for an unknown one."""
        ...

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Row | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        """Return matches after a row and after `offset` further matches.

        A page may be short where matches are rare; its `last` tells from where to go on.
        """
        ...

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the recorded results of executions that have one, by id."""
        ...

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Row | None, *, at_most: int
    ) -> ArchivedCount:
        """Return the number of matches after a row, at most so many."""
        ...

    async def known(self, account_id: str, execution_ids: Collection[str]) -> set[str]:
        """Return those executions that the history has."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class NoArchive:
    """Absent history, for processes without a database: it has nothing."""

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        return None

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Row | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        return ArchivedPage()

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        return {}

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Row | None, *, at_most: int
    ) -> ArchivedCount:
        return ArchivedCount()

    async def known(self, account_id: str, execution_ids: Collection[str]) -> set[str]:
        return set()

    async def close(self) -> None:
        pass
