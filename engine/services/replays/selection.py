"""Choice of the executions to replay: the newest ones, or those that a caller names."""

import asyncio
from collections.abc import Collection, Sequence

from engine.errors import InvalidBody, NotFound
from engine.executions.execution import Execution
from engine.executions.filter import ExecutionFilter
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import is_execution_id
from engine.services.replays.replayed_executions import fault_of
from engine.store import Store

MOST_EXECUTIONS = 200
READ_AT_ONCE = 20
PAGE = 200
MOST_PAGES = 50
"""Pages that are searched for the newest executions."""
REPLAYED = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED})
LEFT_OUT = frozenset({Source.APP_DRAFT, Source.REPLAY, Source.TEST})
"""Sources of executions that are no runs of a version by a caller."""
NAMES = ("slug", "source", "version", "owner", "parent", "dropped", "format", "inputs")
NOT_REPLAYABLE = (
    "These executions cannot be replayed: they are no ended runs of a kept version of this "
    "workflow with recorded values: {}"
)
MOST_NAMED = 10
"""Ids that the sentence repeats; all are in `executionIds`."""
NONE = "There is no ended run of this workflow with recorded values"


class Selection:
    """Chooses executions of one workflow of an account."""

    def __init__(self, store: Store, account_id: str, slug: str) -> None:
        self._store = store
        self._account_id = account_id
        self._slug = slug
        self._kept: dict[int, bool] = {}

    async def newest(self, count: int) -> list[str]:
        """Return the newest executions that can be replayed, newest first.

        Raises InvalidBody where there is none, and Unavailable.
        """
        wanted = ExecutionFilter(statuses=REPLAYED, workflow_slug=self._slug)
        found: list[str] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page, cursor = await self._store.executions.heads(
                self._account_id, wanted, limit=PAGE, cursor=cursor
            )
            for first in range(0, len(page), READ_AT_ONCE):
                found += await self._replayable(page[first : first + READ_AT_ONCE])
                if len(found) >= count:
                    return found[:count]
            if cursor is None:
                break
        if not found:
            raise InvalidBody(NONE, field="last")
        return found

    async def named(self, execution_ids: Sequence[str]) -> list[str]:
        """Return these executions, each once. Raises InvalidBody with those that cannot be taken.

        Raises Unavailable too.
        """
        ids = list(dict.fromkeys(execution_ids))
        refused: list[str] = []
        for first in range(0, len(ids), READ_AT_ONCE):
            some = ids[first : first + READ_AT_ONCE]
            verdicts = await asyncio.gather(*(self._may_be_named(each) for each in some))
            refused += [each for each, is_fit in zip(some, verdicts, strict=True) if not is_fit]
        if refused:
            words = ", ".join(each[:40] for each in refused[:MOST_NAMED])
            more = "" if len(refused) <= MOST_NAMED else f" and {len(refused) - MOST_NAMED} more"
            raise InvalidBody(
                NOT_REPLAYABLE.format(words + more), field="executionIds", executionIds=refused
            )
        return ids

    async def _replayable(self, page: Collection[Execution]) -> list[str]:
        candidates = [each for each in page if each.source not in LEFT_OUT and not each.owner_id]
        verdicts = await asyncio.gather(*(self._is_recorded(each.id) for each in candidates))
        return [each.id for each, is_fit in zip(candidates, verdicts, strict=True) if is_fit]

    async def _may_be_named(self, execution_id: str) -> bool:
        return is_execution_id(execution_id) and await self._is_recorded(execution_id)

    async def _is_recorded(self, execution_id: str) -> bool:
        record = await self._store.executions.some_fields(self._account_id, execution_id, *NAMES)
        if fault_of(record, self._slug) is not None or "inputs" not in record:
            return False
        return await self._is_kept(int(record.get("version") or 0))

    async def _is_kept(self, version: int) -> bool:
        """Return whether the version is there, by which recorded calls are known."""
        if version not in self._kept:
            try:
                _, plan = await self._store.workflows.own_plan(
                    self._account_id, self._slug, version=version
                )
            except NotFound:
                plan = None
            self._kept[version] = plan is not None
        return self._kept[version]
