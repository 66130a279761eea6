"""Records that cannot be archived: each is left out by itself, named, and stays in Redis."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from engine.errors import EngineError
from engine.history.errors import HistoryUnavailable

T = TypeVar("T")

log = logging.getLogger(__name__)


class Refusals:
    """Reasons of the records that cannot be archived, by name; the next process tries them again.

    A name is the reference of an execution, or begins with the kind of the record.
    """

    def __init__(self, kind: str = "") -> None:
        self._prefix = f"{kind} " if kind else ""
        self._reasons: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._reasons)

    def __contains__(self, name: object) -> bool:
        return name in self._reasons

    def reasons(self) -> Mapping[str, str]:
        """Return the reasons by full name."""
        return {self._prefix + name: reason for name, reason in self._reasons.items()}

    def accepted(self, names: Iterable[str]) -> list[str]:
        """Return the names that are not refused, in their order."""
        return [name for name in names if name not in self._reasons]

    def refuse(self, name: str, reason: str) -> None:
        """Leave a record out."""
        self._reasons[name] = reason
        extra = {"reference": self._prefix + name, "reason": reason}
        log.error("a record cannot be archived", extra=extra)

    def refuse_unreadable(self, name: str, error: Exception) -> None:
        """Leave a record out whose values cannot be read; nothing of them is logged."""
        self.refuse(name, f"its record cannot be read ({type(error).__name__})")

    async def isolate_listed(
        self,
        listed: Callable[[int], Awaitable[Sequence[str]]],
        size: int,
        work: Callable[[Sequence[str]], Awaitable[None]],
    ) -> int:
        """Work like `isolate` on at most `size` names of a list, without refused ones.

        `listed` returns its first names, as many as it is told. Return the number of names.
        """
        names = self.accepted(await listed(size + len(self)))[:size]
        if names:
            await self.isolate(names, work)
        return len(names)

    async def isolate(
        self, names: Sequence[str], work: Callable[[Sequence[str]], Awaitable[T]]
    ) -> list[T]:
        """Work on all names at once, or on each alone after a failure; return the results.

        A name whose work fails alone is refused. Raises Unavailable or HistoryUnavailable when
        Redis or the database is away.
        """
        try:
            return [await work(names)]
        except Exception as error:
            if is_about_all(error):
                raise
        results: list[T] = []
        for name in names:
            try:
                results.append(await work([name]))
            except Exception as error:
                if is_about_all(error):
                    raise
                self.refuse_unreadable(name, error)
        return results


def is_about_all(error: Exception) -> bool:
    """Return whether Redis or the database is away: the failure is not about one record."""
    is_refused_value = isinstance(error, HistoryUnavailable) and error.is_about_data
    return isinstance(error, EngineError) and not is_refused_value
