"""Reads of executions, hot and archived ones alike."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.errors import ExecutionNotFound
from engine.executions.execution import Execution
from engine.executions.filter import EVERY_EXECUTION, ExecutionFilter
from engine.executions.statuses import ExecutionStatus, parse_status
from engine.graph.plan import NodeName, unpack_names
from engine.store.archive.archive import Archive
from engine.store.executions.read.children import ChildList
from engine.store.executions.read.details import ExecutionDetails, read_details
from engine.store.executions.read.list import ExecutionList
from engine.store.executions.read.records import ExecutionRecords
from engine.store.executions.read.results import ReserveMemory, Results
from engine.store.executions.record_fields import (
    HEAD_FIELDS,
    RESULT_AT,
    parse_head,
    parse_nodes,
)
from engine.store.redis.client import Client
from engine.store.redis.record_packing import unpack
from engine.store.waits.records import WAITS, parse_waits

Values = list[bytes | None]


def _visible(execution: Execution) -> Execution:
    """Return an execution. Raises ExecutionNotFound for a child of a public workflow of others."""
    if execution.child is not None and execution.owner_id:
        raise ExecutionNotFound
    return execution


def _with_waits(execution: Execution, record: Mapping[str, bytes]) -> Execution:
    waits = parse_waits(execution.account_id, execution.id, record)
    open_ones = tuple(each for each in waits if each.is_open)
    return replace(execution, waits=open_ones, has_waited=True)


class ExecutionReads:
    """Reads single executions and lists of them; every call names its account."""

    def __init__(self, client: Client, archive: Archive, results: Results) -> None:
        self._client = client
        self._records = ExecutionRecords(client, archive)
        self._results = results
        self._list = ExecutionList(client, archive, results)
        self.children = ChildList(client, archive, self._list)

    async def head(
        self, account_id: str, execution_id: str, reserve: ReserveMemory | None = None
    ) -> Execution:
        """Return the execution without nodes; memory is reserved for an offloaded result.

        Raises ExecutionNotFound, and for an offloaded result ResultGone or ResultUnreadable.
        """
        values = await self._fields(account_id, execution_id, *HEAD_FIELDS)
        execution = _visible(parse_head(account_id, execution_id, values))
        return await self._results.add_result(execution, values[RESULT_AT], reserve)

    async def facts(self, account_id: str, execution_id: str) -> Execution:
        """Return the execution without nodes and result. Raises ExecutionNotFound."""
        values = await self._fields(account_id, execution_id, *HEAD_FIELDS)
        return _visible(parse_head(account_id, execution_id, values))

    async def webhook_and_warnings(
        self, account_id: str, execution_id: str
    ) -> tuple[str | None, tuple[str, ...]]:
        """Return the URL of the webhook that is notified, None for none, and the warnings."""
        names = "status", "webhook_url", "warnings"
        _, url, warnings = await self._records.fields(account_id, execution_id, *names)
        return None if url is None else url.decode(), tuple(unpack(warnings)) if warnings else ()

    async def node_names(self, account_id: str, execution_id: str) -> Sequence[NodeName]:
        """Return the names of the nodes of a draft's execution; none for others."""
        _, names = await self._records.fields(account_id, execution_id, "status", "names")
        return unpack_names(names) if names else ()

    async def status(self, account_id: str, execution_id: str) -> ExecutionStatus:
        """Return the execution's status alone. Raises ExecutionNotFound."""
        [status] = await self._fields(account_id, execution_id, "status")
        return parse_status((status or b"").decode())

    async def get(
        self, account_id: str, execution_id: str, reserve: ReserveMemory | None = None
    ) -> Execution:
        """Return the execution with its nodes, in plan order; otherwise like `head`."""
        record = await self._records.all_fields(account_id, execution_id)
        if not record:
            raise ExecutionNotFound
        values = [record.get(name) for name in HEAD_FIELDS]
        execution = _visible(parse_head(account_id, execution_id, values, parse_nodes(record)))
        if WAITS in record and not execution.owner_id:
            execution = _with_waits(execution, record)
        return await self._results.add_result(execution, values[RESULT_AT], reserve)

    async def details(self, account_id: str, execution_id: str) -> ExecutionDetails:
        """Return the details that only the execution's own page shows. Raises ExecutionNotFound."""
        return await read_details(self._records, account_id, execution_id)

    async def record(self, account_id: str, execution_id: str) -> dict[str, bytes]:
        """Return the whole record; empty when it is gone."""
        return await self._records.all_fields(account_id, execution_id)

    async def some_fields(
        self, account_id: str, execution_id: str, *names: str
    ) -> dict[str, bytes]:
        """Return those of these fields that the record has; none where it is gone."""
        values = await self._records.fields(account_id, execution_id, "status", *names)
        pairs = zip(("status", *names), values, strict=True)
        return {name: value for name, value in pairs if value is not None}

    async def record_for_retry(self, account_id: str, execution_id: str) -> dict[str, bytes]:
        """Return the whole record, empty when it is gone; a failed execution is in Redis then."""
        return await self._records.recalled(account_id, execution_id)

    async def _fields(self, account_id: str, execution_id: str, *names: str) -> list[bytes | None]:
        values = await self._records.fields(account_id, execution_id, *names)
        if values[0] is None:
            raise ExecutionNotFound
        return list(values)

    async def heads(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> tuple[list[Execution], str | None]:
        """Return the account's executions without their results, otherwise like `list`."""
        return await self._list.heads(account_id, wanted, limit=limit, cursor=cursor)

    async def list(
        self,
        account_id: str,
        wanted: ExecutionFilter = EVERY_EXECUTION,
        *,
        limit: int = 50,
        cursor: str | None = None,
        reserve: ReserveMemory | None = None,
    ) -> tuple[list[Execution], str | None]:
        """Return the account's executions, newest first, and the cursor of the next page.

        A page ends early when results are large, with memory reserved for them, when matches are
        rare, and before what only a silent history has. A result that is gone is None. Raises
        ValueError for an invalid cursor, and Unavailable.
        """
        return await self._list.page(
            account_id, wanted, limit=limit, cursor=cursor, reserve=reserve
        )

    async def named(
        self,
        account_id: str,
        execution_ids: Sequence[str],
        reserve: ReserveMemory | None = None,
    ) -> tuple[dict[str, Execution], int]:
        """Return those of these executions that are there, by id, and how many ids were read.

        The last ids are not read where the results before them are large, with memory reserved for
        them. A result that is gone is None. Raises Unavailable.
        """
        return await self._list.named(account_id, execution_ids, reserve)
