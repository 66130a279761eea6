"""Scan of an account's executions, newest first, with filters and a bound on the work."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from engine.executions.execution import Execution, ExecutionStatus
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

CHUNK = 500
"""Executions that one script examines: about a millisecond of Redis's time."""

Row = tuple[int, str]
"""Creation time in milliseconds, and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Conditions on executions; None stands for any value."""

    status: ExecutionStatus | None = None
    workflow_slug: str | None = None
    model_id: str | None = None

    @property
    def arguments(self) -> tuple[str, str, str]:
        """Arguments of the script `match_executions`."""
        return self.status or "", self.workflow_slug or "", self.model_id or ""

    @property
    def is_open(self) -> bool:
        """Return whether every execution matches."""
        return not any(self.arguments)

    def matches(self, execution: Execution) -> bool:
        """Return whether the execution meets every condition."""
        return (
            self.status in (None, execution.status)
            and self.workflow_slug in (None, execution.workflow_slug)
            and (self.model_id is None or self.model_id in execution.model_ids)
        )


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Part of the scan: its matching rows, and its last row (None when empty)."""

    matching: Sequence[Row]
    last: Row | None
    is_end: bool
    """Whether no row follows."""


async def read_rows(
    client: Client, account_id: str, position: Row | None, count: int
) -> Sequence[Row]:
    """Return at most `count` rows after a position, from the newest where it is None."""
    created, execution_id = ("", "") if position is None else position
    reply = await client.call(
        SCRIPTS["list_executions"],
        [keyspace.account_executions(account_id)],
        [created, execution_id, count],
    )
    ids, times = reply[::2], reply[1::2]
    return [(int(at), each.decode()) for each, at in zip(ids, times, strict=True)]


async def scan(
    client: Client,
    account_id: str,
    wanted: ExecutionFilter,
    position: Row | None,
    *,
    at_most: int,
    chunk: int = CHUNK,
) -> AsyncIterator[ScanPage]:
    """Yield pages after a position, until the end or until `at_most` rows are examined."""
    examined = 0
    while examined < at_most:
        rows = await read_rows(client, account_id, position, min(chunk, at_most - examined))
        is_end = len(rows) < min(chunk, at_most - examined)
        position = rows[-1] if rows else position
        yield ScanPage(await _matching(client, account_id, wanted, rows), position, is_end)
        if is_end:
            return
        examined += len(rows)


async def _matching(
    client: Client, account_id: str, wanted: ExecutionFilter, rows: Sequence[Row]
) -> Sequence[Row]:
    if wanted.is_open or not rows:
        return rows
    keys = [keyspace.execution(account_id, execution_id) for _, execution_id in rows]
    positions = await client.call(SCRIPTS["match_executions"], keys, wanted.arguments)
    return [rows[position - 1] for position in positions]
