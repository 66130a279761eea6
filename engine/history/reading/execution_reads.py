"""Reads of archived executions: for lists, by id, and their results."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy import Row as SqlRow

from engine.executions.execution import Execution
from engine.executions.filter import ExecutionFilter, Position
from engine.executions.statuses import parse_status
from engine.history.archiving.execution_rows import parse_record
from engine.history.database.statements import in_batches
from engine.history.packing import decompress
from engine.history.reading.execution_queries import read_rows
from engine.history.schema import execution_records, executions
from engine.history.tag_lines import parse_tag_lines
from engine.store.archive.archive import ArchivedExecution, ArchivedPage
from engine.store.archive.ended_executions import EndedRecord

OF = executions.c
HEAD = [column for column in executions.columns if column is not OF.result]

_decode = msgspec.json.decode


def read_page(
    connection: Connection,
    account_id: str,
    wanted: ExecutionFilter,
    after: Position | None,
    *,
    limit: int,
    offset: int = 0,
) -> ArchivedPage:
    """Return a page as `Archive.page` describes it."""
    rows, last = read_rows(connection, account_id, wanted, after, limit=limit, offset=offset)
    found = read_heads(connection, account_id, [name for _, name in rows])
    heads = {head.execution.id: head for head in found}
    return ArchivedPage(executions=[heads[name] for _, name in rows if name in heads], last=last)


def read_heads(
    connection: Connection, account_id: str, execution_ids: Collection[str]
) -> list[ArchivedExecution]:
    """Return those of these executions that are there, without results."""
    return [
        ArchivedExecution(execution=_execution(head), result_bytes=head.result_bytes)
        for head in _read(connection, HEAD, account_id, list(execution_ids))
    ]


def read_results(
    connection: Connection, account_id: str, execution_ids: Collection[str]
) -> Mapping[str, bytes]:
    """Return the recorded results of executions that have one, by id."""
    rows = _read(connection, [OF.id, OF.result], account_id, list(execution_ids))
    return {row.id: decompress(row.result) for row in rows if row.result is not None}


def read_record(connection: Connection, account_id: str, execution_id: str) -> EndedRecord | None:
    """Return the record of an execution as Redis had it last, None for an unknown one."""
    records = execution_records.c
    columns = select(records.record, OF.result, OF.retried_by).select_from(execution_records)
    row = connection.execute(
        columns.join(
            executions, (OF.account_id == records.account_id) & (OF.id == records.execution_id)
        )
        .where(records.account_id == account_id)
        .where(records.execution_id == execution_id)
    ).first()
    if row is None:
        return None
    record = parse_record(account_id, execution_id, row.record, row.result)
    if row.retried_by:
        record.fields["retry"] = row.retried_by.encode()
    return record


def _read(
    connection: Connection, columns: Sequence[Any], account_id: str, execution_ids: Sequence[str]
) -> list[SqlRow[Any]]:
    rows: list[SqlRow[Any]] = []
    for some in in_batches(execution_ids):
        query = select(*columns).where(OF.account_id == account_id).where(OF.id.in_(some))
        rows += connection.execute(query)
    return rows


def _execution(row: SqlRow[Any]) -> Execution:
    """Return the execution of a row, without nodes and result."""
    return Execution(
        id=row.id,
        account_id=row.account_id,
        workflow_slug=row.workflow_slug or "",
        workflow_version=row.workflow_version or 0,
        source=row.source,
        status=parse_status(row.status),
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        error=_decode(row.error) if row.error else None,
        credits_cost=row.credits,
        micro_usd=row.micro_usd,
        markup=Decimal(row.markup),
        model_ids=tuple(row.model_ids.split(",")) if row.model_ids else (),
        warnings=tuple(_decode(row.warnings)) if row.warnings else (),
        owner_id=row.owner_id or "",
        retry_of=row.retry_of,
        tags=parse_tag_lines(row.tags),
        batch_id=row.batch_id,
        batch_index=row.item,
    )
