"""Reads of archived executions: for lists, by id, and their results."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, null, select
from sqlalchemy import Row as SqlRow

from engine.executions.execution import ChildPlace, Execution
from engine.executions.filter import ExecutionFilter, Position
from engine.executions.statuses import parse_status
from engine.history.archiving.execution_rows import parse_record
from engine.history.database.statements import in_batches
from engine.history.packing import decompress
from engine.history.reading.execution_queries import read_rows
from engine.history.schema import child_executions, execution_records, executions
from engine.history.tag_lines import parse_tag_lines
from engine.store.archive.archive import ArchivedExecution, ArchivedPage
from engine.store.archive.ended_executions import EndedRecord

TABLES = (executions, child_executions)
"""An execution is in one of them; lists are of the first alone."""

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
    heads: list[ArchivedExecution] = []
    wanted = set(execution_ids)
    for table in TABLES:
        columns = [column for column in table.columns if column is not table.c.result]
        for row in _read(connection, table, columns, account_id, wanted):
            heads.append(archived_head(row))
            wanted.discard(row.id)
    return heads


def read_results(
    connection: Connection, account_id: str, execution_ids: Collection[str]
) -> Mapping[str, bytes]:
    """Return the recorded results of executions that have one, by id."""
    results: dict[str, bytes] = {}
    for table in TABLES:
        rows = _read(connection, table, [table.c.id, table.c.result], account_id, execution_ids)
        results |= {row.id: decompress(row.result) for row in rows if row.result is not None}
    return results


def read_record(connection: Connection, account_id: str, execution_id: str) -> EndedRecord | None:
    """Return the record of an execution as Redis had it last, None for an unknown one."""
    for table in TABLES:
        row = _read_record(connection, table, account_id, execution_id)
        if row is not None:
            record = parse_record(account_id, execution_id, row.record, row.result)
            if row.retried_by:
                record.fields["retry"] = row.retried_by.encode()
            return record
    return None


def _read_record(connection: Connection, table: Table, account_id: str, execution_id: str) -> Any:
    """Return the row of one execution with its record, None for one of another table."""
    of, records = table.c, execution_records.c
    retried_by = of.retried_by if table is executions else null().label("retried_by")
    is_same = (of.account_id == records.account_id) & (of.id == records.execution_id)
    query = (
        select(records.record, of.result, retried_by)
        .join_from(execution_records, table, is_same)
        .where(records.account_id == account_id)
        .where(records.execution_id == execution_id)
    )
    return connection.execute(query).first()


def _read(
    connection: Connection,
    table: Table,
    columns: Sequence[Any],
    account_id: str,
    execution_ids: Collection[str],
) -> list[SqlRow[Any]]:
    rows: list[SqlRow[Any]] = []
    for some in in_batches(sorted(execution_ids)):
        is_one = (table.c.account_id == account_id) & table.c.id.in_(some)
        query = select(*columns).where(is_one)
        rows += connection.execute(query)
    return rows


def archived_head(row: SqlRow[Any]) -> ArchivedExecution:
    """Return the execution of a row of either table, without nodes and result."""
    return ArchivedExecution(execution=_execution(row), result_bytes=row.result_bytes)


def _execution(row: SqlRow[Any]) -> Execution:
    of_root, of_child = {}, None
    if hasattr(row, "parent_id"):
        of_child = ChildPlace(
            parent_id=row.parent_id,
            node_id=row.parent_node_id,
            index=row.child_index,
            root_id=row.root_id,
            depth=row.depth,
        )
    else:
        of_root = {
            "tags": parse_tag_lines(row.tags),
            "batch_id": row.batch_id,
            "batch_index": row.item,
            "trigger_id": row.trigger_id,
            "occurrence_id": row.occurrence_id,
            "alias": row.alias,
        }
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
        child=of_child,
        **of_root,
    )
