"""Writes of ended executions: each once, with its figures, in one transaction."""

from collections.abc import Mapping, Sequence
from itertools import chain

from sqlalchemy import Connection, Table, and_, bindparam, insert, select, tuple_, update

from engine.history.archiving.closed_accounts import closed_accounts
from engine.history.archiving.execution_rows import ExecutionRows, Row
from engine.history.archiving.rollups import add_figures
from engine.history.database.connections import Database
from engine.history.database.statements import in_batches, insert_new
from engine.history.schema import (
    child_executions,
    execution_models,
    execution_records,
    execution_tags,
    executions,
    nodes,
)
from engine.history.tag_lines import pack_tag_lines

OF = executions.c

Ids = tuple[str, str]
"""Account id and execution id."""


def write_executions(database: Database, batch: Sequence[ExecutionRows]) -> int:
    """Write the executions that the database lacks; return their number.

    Executions of closed accounts are left out. A second call with the same executions changes
    nothing. Raises HistoryUnavailable.
    """
    with database.write() as connection:
        closed = closed_accounts(connection, (each.execution["account_id"] for each in batch))
        open_ = [each for each in batch if each.execution["account_id"] not in closed]
        known = _find_known_rows(connection, open_)
        new = {_ids(each.execution): each for each in open_ if _ids(each.execution) not in known}
        rows = list(new.values())
        roots = [each for each in rows if not each.is_child]
        _insert(connection, executions, [each.execution for each in roots])
        children = [each.execution for each in rows if each.is_child]
        _insert(connection, child_executions, children)
        _insert(connection, execution_records, [each.record for each in rows])
        _insert(connection, execution_models, list(chain(*(each.models for each in rows))))
        _insert(connection, execution_tags, list(chain(*(each.tags for each in rows))))
        _insert(connection, nodes, list(chain(*(each.nodes for each in rows))))
        add_figures(connection, roots)
    return len(new)


def write_retries(database: Database, retries: Mapping[Ids, str]) -> None:
    """Write the last retry of each failed execution. Raises HistoryUnavailable."""
    if not retries:
        return
    statement = (
        update(executions)
        .where(executions.c.account_id == bindparam("of_account"))
        .where(executions.c.id == bindparam("of_id"))
        .values(retried_by=bindparam("retry"))
    )
    rows = [
        {"of_account": account_id, "of_id": execution_id, "retry": retry}
        for (account_id, execution_id), retry in retries.items()
    ]
    with database.write() as connection:
        connection.execute(statement, rows)


def write_missing_tags(database: Database, tags: Mapping[Ids, Sequence[str]]) -> None:
    """Write the tags of executions whose rows have none. Raises HistoryUnavailable."""
    if not tags:
        return
    columns = OF.account_id, OF.id
    with database.write() as connection:
        for some in in_batches(sorted(tags)):
            lacking = select(*columns, OF.created_at).where(
                tuple_(*columns).in_(some), OF.tags.is_(None)
            )
            for account_id, execution_id, created_at in connection.execute(lacking).all():
                own = tags[account_id, execution_id]
                row = {"account_id": account_id, "execution_id": execution_id}
                rows = [row | {"tag": tag, "created_at": created_at} for tag in own]
                is_one = and_(OF.account_id == account_id, OF.id == execution_id)
                lines = pack_tag_lines(own)
                connection.execute(update(executions).where(is_one).values(tags=lines))
                connection.execute(insert_new(connection, execution_tags), rows)


def find_known(connection: Connection, ids: Sequence[Ids]) -> set[Ids]:
    """Return the executions that the database has."""
    known = _find_in(connection, executions, ids)
    others = [each for each in ids if each not in known]
    return known | _find_in(connection, child_executions, others)


def _find_known_rows(connection: Connection, found: Sequence[ExecutionRows]) -> set[Ids]:
    known: set[Ids] = set()
    for table in (executions, child_executions):
        is_child = table is child_executions
        ids = [_ids(each.execution) for each in found if each.is_child == is_child]
        known |= _find_in(connection, table, ids)
    return known


def _find_in(connection: Connection, table: Table, ids: Sequence[Ids]) -> set[Ids]:
    columns = table.c.account_id, table.c.id
    known: set[Ids] = set()
    for some in in_batches(ids):
        rows = connection.execute(select(*columns).where(tuple_(*columns).in_(some)))
        known.update((account_id, execution_id) for account_id, execution_id in rows)
    return known


def _ids(row: Row) -> Ids:
    return row["account_id"], row["id"]


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert(table), rows)
