"""Queries of archived executions by the filters of lists, newest first.

A query walks the index of one filter in the order of lists, and applies the other filters to a
bounded number of its rows, so that a page may be short. It walks the index whose rows reach
furthest back, which is that of the rarest filter.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    func,
    select,
    tuple_,
    union_all,
)

from engine.executions.filter import ExecutionFilter, Position, is_none
from engine.executions.statuses import TERMINAL
from engine.history.schema import execution_models, execution_tags, executions
from engine.history.tag_lines import tag_line
from engine.store.archive.archive import ArchivedCount

EXAMINED = (1_000, 10_000)
"""Rows of an index that a page examines where further filters apply to them: first, and at most."""
COUNTED = 50_000
"""Rows of an index that a count examines: `total` is to be exact to 10,000."""
COMPARED = 500
"""Rows of each filter's index that tell which filter is the rarest."""
MODEL_COST = 5
"""Cost of a row in the index of models or tags, which needs a look into the table of executions,
where one in another index costs 1."""
SELECTIVE_START = 3
"""Length of an id's start from which on all executions with that start are read and sorted."""
AFTER_IDS = "g"
"""Character after those of ids."""
NEWEST = Position(2**62, "")
"""Position before all others of a list."""
MODELS = "model_ids"
TAGS = "tags"
TABLES = {
    MODELS: (execution_models.c, execution_models.c.model_id),
    TAGS: (execution_tags.c, execution_tags.c.tag),
}
"""Columns of lists, whose index is a table of its own: its columns, and that with a value."""
STATUS = "status"
WORKFLOW = "workflow_slug"
OF = executions.c

Index = Mapping[str, Any]
"""Value of each filtered column of an index; empty: the index of all executions."""


class _Query:
    """Conditions on an account's executions after a row of its list."""

    def __init__(self, account_id: str, wanted: ExecutionFilter, after: Position | None) -> None:
        self._account_id = account_id
        self._after = wanted.begin_after(after) or NEWEST
        self._since = wanted.created_from
        self._id_start = wanted.id_start
        self._values: dict[str, Sequence[Any]] = {}
        """Values that match, by column; none for a column that has no value in a match. Of tags
        all must match."""
        for field, value in wanted.conditions:
            if field.column == TAGS:
                self._values[TAGS] = list(dict.fromkeys(value))
            elif field.column and field.column != STATUS:
                self._values[field.column] = [] if is_none(field, value) else [value]
        self.statuses = TERMINAL.intersection(wanted.statuses or TERMINAL)
        """Statuses that match; without any, no archived execution does."""
        if len(self.statuses) < len(TERMINAL):
            self._values[STATUS] = sorted(self.statuses)

    @property
    def indexes(self) -> Sequence[Index]:
        """Indexes that have every match each, one for each filter."""
        single = {name: of[0] for name, of in self._values.items() if len(of) == 1 and name != TAGS}
        both = {name: single[name] for name in (WORKFLOW, STATUS) if name in single}
        others: list[Index] = [{name: single[name]} for name in single if name not in both]
        others += [{TAGS: each} for each in self._values.get(TAGS, ())]
        return [both, *others] if both or not others else others

    @property
    def exact_indexes(self) -> Sequence[Index]:
        """Indexes whose rows together are the matches; none where further conditions apply."""
        if self._id_start or not all(self._values.values()):
            return ()
        if self._values.keys() <= {WORKFLOW, STATUS}:
            workflow = {name: of[0] for name, of in self._values.items() if name == WORKFLOW}
            statuses = self._values.get(STATUS)
            return [workflow | {STATUS: each} for each in statuses] if statuses else [workflow]
        return self.indexes if len(self.indexes) == len(self._values) == 1 else ()

    @property
    def has_few(self) -> bool:
        """Whether the id's start alone leaves few rows."""
        return len(self._id_start) >= SELECTIVE_START

    def rows(self, index: Index, *columns: Any) -> Select[Any]:
        """Return the query of creation times and ids in an index, and of further columns."""
        column = _list_of(index)
        if column is not None:
            table, value = TABLES[column]
            at, name = table.created_at, table.execution_id
            query = select(at, name.label("id"), *columns).where(
                table.account_id == self._account_id, value == index[column]
            )
            if columns:
                is_same = (OF.account_id == table.account_id) & (OF.id == name)
                query = query.join_from(value.table, executions, is_same)
        else:
            at, name = OF.created_at, OF.id
            query = select(at, name, *columns).where(
                OF.account_id == self._account_id, *(OF[each] == index[each] for each in index)
            )
        return query.where(*self._in_range(at, name)).order_by(at.desc(), name.desc())

    def rows_of_all(self, indexes: Sequence[Index], count: int) -> Select[Any]:
        """Return the query of the first rows of some indexes together."""
        parts = (select(self.rows(each).limit(count).subquery()) for each in indexes)
        rows = union_all(*parts).subquery()
        return select(rows).order_by(rows.c.created_at.desc(), rows.c.id.desc())

    def matches(self, index: Index | None, examined: int) -> Select[Any]:
        """Return the query of the matches among so many rows of an index, None: of few rows."""
        columns = [OF[name] for name in self._values]
        part: Any
        if index is None:
            ids = self._begins(OF.id)
            few = select(OF.created_at, OF.id, *columns).where(
                OF.account_id == self._account_id, *ids
            )
            part = few.cte("part").prefix_with("MATERIALIZED")
        else:
            part = self.rows(index, *columns).limit(_affordable(index, examined)).subquery("part")
        query = select(part.c.created_at, part.c.id).where(
            *self._in_range(part.c.created_at, part.c.id),
            *self._begins(part.c.id),
            *(self._fits(part.c, name) for name in self._values if not _has_all(index, name)),
        )
        return query.order_by(part.c.created_at.desc(), part.c.id.desc())

    def _in_range(self, at: Any, name: Any) -> Iterator[ColumnElement[bool]]:
        yield tuple_(at, name) < tuple_(*self._after)
        if self._since is not None:
            yield at >= self._since

    def _begins(self, name: Any) -> Iterator[ColumnElement[bool]]:
        if self._id_start:
            yield name >= self._id_start
            yield name < self._id_start + AFTER_IDS

    def _fits(self, columns: Any, name: str) -> ColumnElement[bool]:
        values = self._values[name]
        column: ColumnElement[Any] = columns[name]
        if not values:
            return column.is_(None)
        if name == TAGS:
            return and_(*(_contains(column, tag_line(each)) for each in values))
        if name == MODELS:
            return _contains("," + column + ",", f",{values[0]},")
        return column.in_(values)


def read_rows(
    connection: Connection,
    account_id: str,
    wanted: ExecutionFilter,
    after: Position | None,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[list[Position], Position | None]:
    """Return the matches of a page, and the last examined row, None where none follows."""
    query = _Query(account_id, wanted, after)
    if not query.statuses:
        return [], None
    index = None
    if exact := query.exact_indexes:
        queries = [query.rows_of_all(exact, limit + offset)]
    elif query.has_few:
        queries = [query.matches(None, 0)]
    else:
        index = _rarest(connection, query)
        queries = [query.matches(index, examined) for examined in EXAMINED]
    page: list[Position] = []
    for matches in queries:
        page = _read(connection, matches.limit(limit).offset(offset))
        if len(page) == limit:
            return page, page[-1]
    return page, None if index is None else _row_at(connection, query, index, EXAMINED[-1])


def count_rows(
    connection: Connection,
    account_id: str,
    wanted: ExecutionFilter,
    after: Position | None,
    *,
    at_most: int,
) -> ArchivedCount:
    """Return the number of matches after a row, at most so many."""
    query = _Query(account_id, wanted, after)
    if not query.statuses:
        return ArchivedCount(count=0, is_all=True)
    index = None
    if exact := query.exact_indexes:
        matches = query.rows_of_all(exact, at_most)
    else:
        index = None if query.has_few else _rarest(connection, query)
        matches = query.matches(index, COUNTED)
    counted = select(func.count()).select_from(matches.order_by(None).limit(at_most).subquery())
    count = connection.execute(counted).scalar_one()
    last = None if index is None else _row_at(connection, query, index, COUNTED)
    return ArchivedCount(count=count, is_all=last is None and count < at_most)


def _rarest(connection: Connection, query: _Query) -> Index:
    """Return the index whose next rows, as many as cost the same, reach furthest back."""
    indexes = query.indexes
    if len(indexes) == 1:
        return indexes[0]
    reached = [_row_at(connection, query, each, COMPARED) or () for each in indexes]
    return min(zip(reached, indexes, strict=True), key=lambda each: each[0])[1]


def _list_of(index: Index) -> str | None:
    """Return the column of lists of which an index has one value, None for another index."""
    return next((name for name in index if name in TABLES), None)


def _has_all(index: Index | None, name: str) -> bool:
    """Return whether all rows of an index match the values of a column; it has one tag of some."""
    return index is not None and name in index and name != TAGS


def _contains(text: ColumnElement[str], part: str) -> ColumnElement[bool]:
    without: ColumnElement[str] = func.replace(text, part, "", type_=Text())
    return without != text  # LIKE of SQLite does not tell a from A


def _affordable(index: Index, count: int) -> int:
    """Return the number of an index's rows that cost as much as so many others."""
    return count if _list_of(index) is None else max(1, count // MODEL_COST)


def _row_at(connection: Connection, query: _Query, index: Index, count: int) -> Position | None:
    """Return the last of so many affordable rows of an index, None where there are fewer."""
    rows = _read(connection, query.rows(index).limit(1).offset(_affordable(index, count) - 1))
    return rows[0] if rows else None


def _read(connection: Connection, query: Select[Any]) -> list[Position]:
    return [Position(at, name) for at, name in connection.execute(query).all()]
