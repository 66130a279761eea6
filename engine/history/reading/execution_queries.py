"""Queries of archived executions by the filters of lists, newest first.

Each walks one index in the order of lists, in turns that examine a bounded number of its rows.
With several filters, a turn begins at the newest row that no filter excludes by its own index, and
walks the index whose rows reach furthest back from there: that of the filter which is rarest then.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import cycle, islice, product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    exists,
    func,
    or_,
    select,
    tuple_,
)

from engine.executions.execution import TERMINAL
from engine.executions.filter import ExecutionFilter, Row, is_none
from engine.history.schema import execution_models, executions
from engine.store.archive.archive import ArchivedCount

EXAMINED_IN_TURN = (500, 1_000, 1_500, 2_000, 2_500, 2_500)
"""Rows of an index that a query examines where further filters apply to them, turn by turn."""
EXAMINING_SECONDS = 0.015
"""Time after which a page begins no further turn."""
COUNTED_IN_TURN = (*EXAMINED_IN_TURN, *(5_000 for _ in range(8)))
"""Rows of an index that a count examines, turn by turn: `total` is to be exact to 10,000."""
SKIPS = 4
"""Rows that a turn reads of the filters' indexes, besides the first of each, to find its begin."""
COMPARED = 500
"""Rows of each filter's index that tell which is the rarest one."""
SELECTIVE_START = 3
"""Length of an id's start from which on all ids with it are read and sorted."""
AFTER_IDS = "g"
"""Character after those of ids."""
NEWEST: Row = (2**62, "")
"""Row before all others of a list."""
MODELS = "model_ids"
"""Its index is a table of its own, with a row for each model."""
STATUS = "status"
WORKFLOW = "workflow_slug"

Index = tuple[str, ...]
"""Filtered columns of an index; none: that of all executions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """Conditions on an account's executions."""

    account_id: str
    values: Mapping[str, Sequence[str | int]]
    """Values that match, by column."""
    since: int | None
    """First creation time in milliseconds."""
    id_start: str
    rare: Mapping[str, str]
    """Values that match and that few executions share, by column."""
    absent: Sequence[str]
    """Columns that have no value in a match. PostgreSQL sorts what such an index has."""

    @property
    def indexes(self) -> Sequence[Index]:
        """Return the indexes that have every match, each filter in one of them."""
        names = [name for name, of in self.values.items() if len(of) == 1]
        if WORKFLOW in names and STATUS in names:
            others = [(name,) for name in names if name not in (WORKFLOW, STATUS)]
            return [(WORKFLOW, STATUS), *others]
        return [(name,) for name in names] or [()]

    @property
    def is_range(self) -> bool:
        """Return whether the matches are all rows of one index in a range."""
        return not (self._others(self.indexes[0]) or self.absent or self.id_start or self.is_few)

    @property
    def is_few(self) -> bool:
        """Return whether the id's start or a rare value alone leaves few rows."""
        return bool(self.rare) or len(self.id_start) >= SELECTIVE_START

    def rows(self, index: Index, after: Row) -> Select[Any]:
        """Return the query of creation times and ids in an index, after a row."""
        table = _table_of(index)
        at, name = table.c.created_at, _id_in(table)
        found = select(at, name.label("id")).where(
            table.c.account_id == self.account_id,
            tuple_(at, name) < tuple_(*after),
            *(_fits(table.c, each, self.values[each]) for each in index),
        )
        if self.since is not None:
            found = found.where(at >= self.since)
        return found.order_by(at.desc(), name.desc())

    def matches(self, index: Index, after: Row, examined: int) -> Select[Any]:
        """Return the query of the matches among so many rows of an index."""
        part = self.rows(index, after).limit(examined).cte("part")
        found = select(part.c.created_at, part.c.id)
        found = found.where(*(self._is_in(part, other) for other in self._others(index)))
        if self.id_start:
            found = found.where(*_begins(part.c.id, self.id_start))
        if self.absent:
            of = executions.c
            itself = of.account_id == self.account_id, of.id == part.c.id
            found = found.where(
                exists().where(*itself, *(of[each].is_(None) for each in self.absent))
            )
        return found.order_by(part.c.created_at.desc(), part.c.id.desc())

    def few(self, after: Row) -> Select[Any]:
        """Return the query of the matches, which reads all that `is_few` speaks of."""
        of = executions.c
        begins = [of.account_id == self.account_id]
        begins += (of[name] == value for name, value in self.rare.items())
        if self.id_start:
            begins += _begins(of.id, self.id_start)
        columns = of.created_at, of.id, *(of[name] for name in sorted({*self.values, *self.absent}))
        part = select(*columns).where(*begins).cte("part").prefix_with("MATERIALIZED")
        found = select(part.c.created_at, part.c.id).where(
            tuple_(part.c.created_at, part.c.id) < tuple_(*after),
            *(_fits(part.c, name, of) for name, of in self.values.items()),
            *(part.c[name].is_(None) for name in self.absent),
        )
        if self.since is not None:
            found = found.where(part.c.created_at >= self.since)
        return found.order_by(part.c.created_at.desc(), part.c.id.desc())

    def _is_in(self, part: Any, index: Index) -> ColumnElement[bool]:
        """Return the condition that a row is in another index too."""
        values = product(*(self.values[name] for name in index))
        return or_(*(self._has_row(part, index, each) for each in values))

    def _has_row(self, part: Any, index: Index, values: Sequence[str | int]) -> ColumnElement[bool]:
        """Return the condition that the first row from there on in an index is that row.

        Rows of one time lie together in it, and the table is not read. The order makes planners
        walk this index, and no other.
        """
        table = _table_of(index)
        at, of = table.c.created_at, _id_in(table)
        first = select(of).where(
            table.c.account_id == self.account_id,
            *(_fits(table.c, name, [value]) for name, value in zip(index, values, strict=True)),
            tuple_(at, of) >= tuple_(part.c.created_at, part.c.id),
        )
        found: ColumnElement[bool] = first.order_by(at, of).limit(1).scalar_subquery() == part.c.id
        return found

    def _others(self, index: Index) -> Sequence[Index]:
        """Return the indexes of the filters that an index leaves."""
        several = [(name,) for name, of in self.values.items() if len(of) > 1]
        return [each for each in (*self.indexes, *several) if each and each != index]


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
    queries = list(_queries(account_id, wanted))
    start = wanted.begin_after(after) or NEWEST
    if len(queries) == 1 and queries[0].is_range:
        rows = queries[0].rows(queries[0].indexes[0], start)
        page = _read(connection, rows.limit(limit).offset(offset))
        return page, page[-1] if len(page) == limit else None
    found, last = [], None
    for query in queries:
        matching, end = _examine(connection, query, start, limit + offset)
        found.append(matching)
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
    start = wanted.begin_after(after) or NEWEST
    for query in _queries(account_id, wanted):
        end: Row | None = None
        for matching, examined in _turns(connection, query, start, COUNTED_IN_TURN, float("inf")):
            end = examined
            if matching is None:
                break
            counted = matching.order_by(None).limit(at_most).subquery()
            count += connection.execute(select(func.count()).select_from(counted)).scalar_one()
        is_all = is_all and end is None
    return ArchivedCount(count=min(count, at_most), is_all=is_all and count < at_most)


def _examine(
    connection: Connection, query: _Query, after: Row, count: int
) -> tuple[list[Row], Row | None]:
    """Return up to `count` matches after a row, and the last examined row."""
    found: list[Row] = []
    end: Row | None = None
    for matching, examined in _turns(connection, query, after, EXAMINED_IN_TURN, EXAMINING_SECONDS):
        end = examined
        if matching is None:
            break
        found += _read(connection, matching.limit(count - len(found)))
        if len(found) == count:
            return found, found[-1]
    return found, end


def _turns(
    connection: Connection,
    query: _Query,
    after: Row,
    examined_in_turn: Sequence[int],
    seconds: float,
) -> Iterator[tuple[Select[Any] | None, Row | None]]:
    """Yield the queries of matches turn by turn, and the last row that each examines.

    A row of None tells that none follows, and a query of None that there are no further matches.
    """
    if query.is_few:
        yield query.few(after), None
        return
    if query.is_range:
        yield query.rows(query.indexes[0], after), None
        return
    began, index = time.monotonic(), None
    for examined in examined_in_turn:
        start = _skip(connection, query, after)
        if start is None:
            yield None, None
            return
        index = _rarest(connection, query, start) if index is None else index
        end = _row_at(connection, query, index, start, examined)
        yield query.matches(index, start, examined), end
        if end is None or time.monotonic() - began > seconds:
            return
        after = end


def _skip(connection: Connection, query: _Query, after: Row) -> Row | None:
    """Return the row after which the next match may be, None where there is none.

    Each index in turn gives its first row from there, until all have the same one.
    """
    agreed: set[Index] = set()
    count = len(query.indexes)
    for index in islice(cycle(query.indexes), count + SKIPS if count > 1 else 0):
        row = _row_at(connection, query, index, after, 1)
        if row is None:
            return None
        found = row[0], row[1] + AFTER_IDS
        agreed = {*agreed, index} if found == after else {index}
        after = found
        if len(agreed) == count:
            break
    return after


def _rarest(connection: Connection, query: _Query, after: Row) -> Index:
    """Return the index whose next rows reach furthest back."""
    best, oldest = query.indexes[0], NEWEST
    for index in query.indexes if len(query.indexes) > 1 else ():
        row = _row_at(connection, query, index, after, COMPARED)
        if row is None:
            return index
        if row < oldest:
            best, oldest = index, row
    return best


def _row_at(
    connection: Connection, query: _Query, index: Index, after: Row, number: int
) -> Row | None:
    """Return a row of an index by its number from 1, None where there are fewer."""
    rows = _read(connection, query.rows(index, after).limit(1).offset(number - 1))
    return rows[0] if rows else None


def _read(connection: Connection, query: Select[Any]) -> list[Row]:
    return [(at, name) for at, name in connection.execute(query).all()]


def _queries(account_id: str, wanted: ExecutionFilter) -> Iterator[_Query]:
    """Yield the queries whose rows together are the matches."""
    statuses = TERMINAL.intersection(wanted.statuses or TERMINAL)
    if not statuses:
        return
    values: dict[str, Sequence[str | int]] = {}
    rare: dict[str, str] = {}
    absent: list[str] = []
    for field, value in wanted.conditions:
        if is_none(field, value):
            absent.append(field.column)
        elif field.is_rare:
            rare[field.column] = value
        elif field.column and field.column != STATUS:
            values[field.column] = [value]
    has_index = set(values) <= {WORKFLOW}
    parts = [[each] for each in sorted(statuses)] if has_index else [sorted(statuses)]
    for some in parts if len(statuses) < len(TERMINAL) else [None]:
        yield _Query(
            account_id=account_id,
            values=values if some is None else values | {STATUS: some},
            since=wanted.created_from,
            id_start=wanted.id_start,
            rare=rare,
            absent=absent,
        )


def _table_of(index: Index) -> Table:
    return execution_models if index == (MODELS,) else executions


def _id_in(table: Table) -> ColumnElement[str]:
    return table.c.execution_id if table is execution_models else table.c.id


def _begins(name: ColumnElement[str], start: str) -> Sequence[ColumnElement[bool]]:
    return name >= start, name < start + AFTER_IDS


def _fits(columns: Any, name: str, values: Sequence[str | int]) -> ColumnElement[bool]:
    if name == MODELS and MODELS in columns:
        models: ColumnElement[str] = "," + columns.model_ids + ","
        return func.replace(models, f",{values[0]},", "", type_=Text()) != models
    column: ColumnElement[Any] = columns.model_id if name == MODELS else columns[name]
    return column == values[0] if len(values) == 1 else column.in_(values)
