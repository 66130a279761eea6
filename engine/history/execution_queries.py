"""Queries of archived executions by the filters of lists, newest first.

Each walks one index in the order of lists: that of the filter which is likely to leave the fewest
rows, or of the creation time. Where further filters apply, it examines a bounded number of rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, tuple_

from engine.executions.execution import TERMINAL, ExecutionStatus
from engine.history.schema import execution_models, executions
from engine.store.archive.archive import ArchivedCount
from engine.store.executions.filters import ExecutionFilter, Row

EXAMINED_IN_TURN = (500, 2_000, 7_500)
"""Rows of an index that a page examines where further filters apply to them, query by query."""
COUNTED_AMONG = 50_000
"""Rows of an index that a count examines where further filters apply to them."""
SELECTIVE_START = 3
"""Length of an id's start from which on all ids with it are read and sorted."""
AFTER_IDS = "g"
"""Character after those of ids."""
FILTERED = (
    *("error_code", "model_ids", "workflow_slug", "key_id"),
    *("workflow_version", "status", "source"),
)
"""Columns that filters compare, the one with the likely most selective index first."""

Condition = Callable[[Any], ColumnElement[bool]]
"""Builds a condition on the columns of a table or of a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """Rows of one index, and further conditions on them."""

    account_id: str
    conditions: Sequence[Condition]
    others: Mapping[str, Condition]
    """Further conditions by the column that they compare."""
    model_id: str | None = None
    """Model whose index is walked."""
    is_sorted: bool = True
    """Whether the index has the order of lists."""

    def rows(self, after: Row | None) -> Select[Any]:
        """Return the query of the rows after a row: creation time, id and filtered columns."""
        table, at, name = executions, executions.c.created_at, executions.c.id
        filtered = [table.c[each] for each in FILTERED if each in self.others]
        found = select(at, name, *filtered).where(table.c.account_id == self.account_id)
        if self.model_id is not None:
            of = execution_models.c
            at, name = of.created_at, of.execution_id
            found = select(at, name.label("id"), *filtered).where(
                of.account_id == self.account_id, of.model_id == self.model_id
            )
            if filtered:
                is_same = and_(table.c.account_id == of.account_id, table.c.id == of.execution_id)
                found = found.join_from(execution_models, table, is_same)
        columns = _Columns(table.c, at, name)
        found = found.where(*(condition(columns) for condition in self.conditions))
        if after is not None:
            found = found.where(tuple_(at, name) < tuple_(*after))
        return found.order_by(at.desc(), name.desc()) if self.is_sorted else found

    def matches(self, after: Row | None, examined: int) -> Select[Any]:
        """Return the query of the creation times and ids of matches among so many rows."""
        found = self.rows(after)
        if self.is_sorted and not self.others:
            return found
        part = (
            found.limit(examined).cte("part")
            if self.is_sorted
            else found.cte("part").prefix_with("MATERIALIZED")
        )
        return (
            select(part.c.created_at, part.c.id)
            .where(*(condition(part.c) for condition in self.others.values()))
            .order_by(part.c.created_at.desc(), part.c.id.desc())
        )


class _Columns:
    """Columns of a table, with creation time and id from where an index has them."""

    def __init__(self, columns: Any, created_at: Any, name: Any) -> None:
        self._columns = columns
        self.created_at, self.id = created_at, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._columns, name)


def read_rows(
    connection: Connection,
    account_id: str,
    wanted: ExecutionFilter,
    after: Row | None,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[list[Row], Row | None]:
    """Return the matches of a page, and the last examined row, None where none follows."""
    walks = list(_walks(account_id, wanted))
    if len(walks) == 1 and not walks[0].others:
        rows = _read(connection, walks[0].matches(after, 0).limit(limit).offset(offset))
        return rows, rows[-1] if len(rows) == limit else None
    found, last = [], None
    for walk in walks:
        rows, end = _examine(connection, walk, after, limit + offset)
        found.append(rows)
        last = max(last, end) if last and end else last or end
    merged = (row for row in merge(*found, reverse=True) if last is None or row >= last)
    page = list(islice(merged, offset, offset + limit))
    return page, page[-1] if len(page) == limit else last


def count_rows(
    connection: Connection,
    account_id: str,
    wanted: ExecutionFilter,
    after: Row | None,
    *,
    at_most: int,
) -> ArchivedCount:
    """Return the number of matches after a row, at most so many."""
    count, is_all = 0, True
    for walk in _walks(account_id, wanted):
        matching = walk.matches(after, COUNTED_AMONG).order_by(None).limit(at_most).subquery()
        count += connection.execute(select(func.count()).select_from(matching)).scalar_one()
        if walk.others and walk.is_sorted:
            is_all = is_all and _row_at(connection, walk, after, COUNTED_AMONG) is None
    return ArchivedCount(count=min(count, at_most), is_all=is_all and count < at_most)


def _examine(
    connection: Connection, walk: _Walk, after: Row | None, count: int
) -> tuple[list[Row], Row | None]:
    if not walk.is_sorted or not walk.others:
        rows = _read(connection, walk.matches(after, 0).limit(count))
        return rows, rows[-1] if len(rows) == count else None
    found: list[Row] = []
    for examined in EXAMINED_IN_TURN:
        found += _read(connection, walk.matches(after, examined).limit(count - len(found)))
        if len(found) == count:
            return found, found[-1]
        after = _row_at(connection, walk, after, examined)
        if after is None:
            return found, None
    return found, after


def _row_at(connection: Connection, walk: _Walk, after: Row | None, number: int) -> Row | None:
    """Return a row of the walk by its number from 1, None where there are fewer."""
    rows = _read(connection, walk.rows(after).limit(1).offset(number - 1))
    return rows[0] if rows else None


def _read(connection: Connection, query: Select[Any]) -> list[Row]:
    return [(at, name) for at, name, *_ in connection.execute(query)]


def _walks(account_id: str, wanted: ExecutionFilter) -> Iterator[_Walk]:
    """Yield the walks whose rows together are the matches."""
    statuses = TERMINAL.intersection(wanted.statuses or TERMINAL)
    if not statuses:
        return
    start = {"id": _starts_with(wanted.id_start)} if wanted.id_start else {}
    of_values, times = _conditions(wanted, statuses), _times(wanted)
    if len(wanted.id_start) >= SELECTIVE_START:
        first = [*start.values(), *times]
        yield _Walk(
            account_id=account_id,
            conditions=first,
            others=of_values,
            is_sorted=False,
        )
        return
    index = next((name for name in FILTERED if name in of_values), None)
    others = {name: each for name, each in (of_values | start).items() if name != index}
    if index is None:
        yield _Walk(account_id=account_id, conditions=times, others=others)
    elif index == "model_ids":
        yield _Walk(
            account_id=account_id, conditions=times, others=others, model_id=wanted.model_id
        )
    elif index == "status":
        for each in sorted(statuses):
            first = [_is_one_of("status", [each]), *times]
            yield _Walk(account_id=account_id, conditions=first, others=others)
    else:
        first = [of_values[index], *times]
        yield _Walk(account_id=account_id, conditions=first, others=others)


def _conditions(
    wanted: ExecutionFilter, statuses: frozenset[ExecutionStatus]
) -> dict[str, Condition]:
    """Return the conditions on values, by column."""
    found = {
        "error_code": wanted.error_code,
        "workflow_slug": wanted.workflow_slug,
        "key_id": wanted.key_id,
        "workflow_version": wanted.version,
        "source": wanted.source,
    }
    conditions = {
        name: _is_one_of(name, [value]) for name, value in found.items() if value is not None
    }
    if wanted.model_id is not None:
        conditions["model_ids"] = _has_model(wanted.model_id)
    if len(statuses) < len(TERMINAL):
        conditions["status"] = _is_one_of("status", sorted(statuses))
    return conditions


def _times(wanted: ExecutionFilter) -> list[Condition]:
    times: list[Condition] = []
    first, end = wanted.created_from, wanted.created_to
    if first is not None:
        times.append(lambda columns: columns.created_at >= first)
    if end is not None:
        times.append(lambda columns: columns.created_at < end)
    return times


def _is_one_of(name: str, values: Sequence[str | int]) -> Condition:
    if len(values) == 1:
        return lambda columns: getattr(columns, name) == values[0]
    return lambda columns: getattr(columns, name).in_(values)


def _starts_with(text: str) -> Condition:
    return lambda columns: and_(columns.id >= text, columns.id < text + AFTER_IDS)


def _has_model(model_id: str) -> Condition:
    def has(columns: Any) -> ColumnElement[bool]:
        models = "," + columns.model_ids + ","
        is_there: ColumnElement[bool] = func.replace(models, f",{model_id},", "") != models
        return is_there

    return has
