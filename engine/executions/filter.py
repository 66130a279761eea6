"""Filter of an account's executions, which holds for hot and archived ones alike.

Each field of `ExecutionFilter` is declared here with its names and its comparison. Query
parameters, the body of the bulk cancel, the arguments of the script and the conditions in SQL are
made from these declarations.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum, StrEnum, auto
from typing import Annotated, Any, NamedTuple, get_type_hints

from engine.executions.statuses import ExecutionStatus

ID_START = re.compile(r"[0-9a-f-]{1,36}")
"""Start of an execution's id."""

NONE = "-"
"""Value that stands for the absence of a key or of models; no name is spelled so."""


class Position(NamedTuple):
    """Position of a row in a list, which has the highest one first."""

    at: int
    """Creation time in milliseconds."""
    id: str


class ValueForm(Enum):
    """Form of a filter's value in queries and bodies."""

    STATUSES = auto()
    SLUG = auto()
    VERSION = auto()
    SOURCE = auto()
    NAME = auto()
    """Any short text."""
    MODEL = auto()
    MOMENT = auto()
    ID_START = auto()
    TAGS = auto()
    BATCH = auto()
    TRACE = auto()


MAY_BE_EMPTY = (ValueForm.STATUSES, ValueForm.ID_START, ValueForm.TAGS)
"""Forms whose empty value stands for any value."""


class Comparison(StrEnum):
    """Comparison of a field of a record with a wanted value, named as in `match_executions`."""

    EQUALS = "equals"
    ONE_OF = "one_of"
    """The wanted value is a list."""
    CONTAINS = "contains"
    """The field has the wanted value as a part of its text."""
    HAS = "has"
    """The field is a list."""
    TAGGED = "tagged"
    """The field is a list of tags."""
    LACKS = "lacks"
    """The field has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterField:
    """Names, form and comparison of one field of a filter."""

    name: str
    """In queries, in bodies and in the page."""
    words: str
    """Description, as it follows "Only executions"."""
    example: Any
    form: ValueForm = ValueForm.NAME
    record: str = ""
    """Field of the record in Redis that the script compares; empty: it compares none."""
    comparison: Comparison = Comparison.EQUALS
    column: str = ""
    """Column of the archived executions; empty: their creation time or id."""
    is_owners: bool = False
    """Whether nobody else may know it of a run of the owner's workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Conditions that an execution must meet, all of them; None and empty stand for any value.

    Each column of the history that a field names has an index in the order of lists.
    """

    statuses: Annotated[
        Collection[ExecutionStatus],
        FilterField(
            name="status",
            words="with this status, or with one of these",
            example=("completed",),
            form=ValueForm.STATUSES,
            record="status",
            comparison=Comparison.ONE_OF,
            column="status",
        ),
    ] = ()
    error_code: Annotated[
        str | None,
        FilterField(
            name="errorCode",
            words="that failed with this code",
            example="EXECUTION_FAILED",
            column="error_code",
        ),
    ] = None
    model_id: Annotated[
        str | None,
        FilterField(
            name="modelId",
            words=f"whose workflow calls this model, or runs of it; `{NONE}`: that call none",
            example="echo",
            form=ValueForm.MODEL,
            record="models",
            comparison=Comparison.HAS,
            column="model_ids",
            is_owners=True,
        ),
    ] = None
    workflow_slug: Annotated[
        str | None,
        FilterField(
            name="workflowSlug",
            words="of this workflow",
            example="greeting",
            form=ValueForm.SLUG,
            record="slug",
            column="workflow_slug",
        ),
    ] = None
    key_id: Annotated[
        str | None,
        FilterField(
            name="keyId",
            words=f"that were begun with the key of this id; `{NONE}`: without a key",
            example="key_4c1d2f60a7b9",
            record="key",
            column="key_id",
        ),
    ] = None
    version: Annotated[
        int | None,
        FilterField(
            name="version",
            words="of this version of a workflow",
            example=3,
            form=ValueForm.VERSION,
            record="version",
            column="workflow_version",
            is_owners=True,
        ),
    ] = None
    source: Annotated[
        str | None,
        FilterField(
            name="source",
            words="from this source",
            example="api-workflow",
            form=ValueForm.SOURCE,
            record="source",
            column="source",
        ),
    ] = None
    tags: Annotated[
        Collection[str],
        FilterField(
            name="tag",
            words="with this tag, or with all of these",
            example=("nightly",),
            form=ValueForm.TAGS,
            record="tags",
            comparison=Comparison.TAGGED,
            column="tags",
        ),
    ] = ()
    batch_id: Annotated[
        str | None,
        FilterField(
            name="batchId",
            words="that are items of this batch",
            example="0b6f9a57-5c1e-4d0a-9a3e-2f6d7c8b9a01",
            form=ValueForm.BATCH,
            record="batch",
            column="batch_id",
        ),
    ] = None
    trigger_id: Annotated[
        str | None,
        FilterField(
            name="triggerId",
            words="that this trigger started",
            example="trg_5d2e81c0b7f4",
            record="trigger",
            column="trigger_id",
        ),
    ] = None
    http_request_id: Annotated[
        str | None,
        FilterField(
            name="httpRequestId",
            words="whose request had this `X-Request-Id`",
            example="0f4e2b6c1d8a4f7e9b3c5d6e7f8a9b0c",
            record="request",
            column="http_request_id",
        ),
    ] = None
    trace_id: Annotated[
        str | None,
        FilterField(
            name="traceId",
            words="that belong to this trace",
            example="4bf92f3577b34da6a3ce929d0e0e4736",
            form=ValueForm.TRACE,
            record="trace",
            comparison=Comparison.CONTAINS,
            column="trace_id",
        ),
    ] = None
    created_from: Annotated[
        int | None,
        FilterField(
            name="from",
            words="that were created at this time or later",
            example="2026-03-01T09:30:00.000Z",
            form=ValueForm.MOMENT,
        ),
    ] = None
    """In milliseconds."""
    created_to: Annotated[
        int | None,
        FilterField(
            name="to",
            words="that were created before this time",
            example="2026-03-01T09:30:00.000Z",
            form=ValueForm.MOMENT,
        ),
    ] = None
    """In milliseconds."""
    id_start: Annotated[
        str,
        FilterField(
            name="q", words="whose id begins so", example="7f9c24e8", form=ValueForm.ID_START
        ),
    ] = ""

    @property
    def conditions(self) -> Iterator[tuple[FilterField, Any]]:
        """Yield the fields that have a value."""
        for attribute, described in FIELDS.items():
            value = getattr(self, attribute)
            is_open = not value and described.form in MAY_BE_EMPTY
            if value is not None and not is_open:  # an empty text of others is met by none
                yield described, value

    @property
    def arguments(self) -> list[str]:
        """Arguments of the script `match_executions`, which leaves times, ids and errors out."""
        words: list[str] = []
        for field, value in self.conditions:
            if field.record:
                texts = value if field.form is ValueForm.TAGS else [value]
                if field.form is ValueForm.STATUSES:
                    texts = [",".join(value)]
                comparison = Comparison.LACKS if is_none(field, value) else field.comparison
                owner = "owner" if field.is_owners else ""
                for text in texts:
                    words += [field.record, comparison, str(text), owner]
        return words

    @property
    def is_open(self) -> bool:
        """Return whether every execution matches."""
        return not any(self.conditions)

    @property
    def needs_record(self) -> bool:
        """Return whether creation time and id alone do not tell a match."""
        return any(field.column for field, _ in self.conditions)

    def begin_after(self, position: Position | None) -> Position | None:
        """Return the position after which a list with a cursor's position begins."""
        if self.created_to is None:
            return position
        latest = Position(self.created_to, "")
        return latest if position is None else min(position, latest)

    def is_over_at(self, row: Position) -> bool:
        """Return whether this row and all that follow were created too early."""
        return self.created_from is not None and row.at < self.created_from

    def fits_row(self, row: Position) -> bool:
        """Return whether time and id match."""
        return (
            not self.is_over_at(row)
            and (self.created_to is None or row.at < self.created_to)
            and row.id.startswith(self.id_start)
        )


def is_none(field: FilterField, value: Any) -> bool:
    """Return whether a value stands for the absence of a key or of models."""
    return field.record in ("key", "models") and value == NONE


def _described() -> Mapping[str, FilterField]:
    hints = get_type_hints(ExecutionFilter, include_extras=True)
    return {each.name: hints[each.name].__metadata__[0] for each in fields(ExecutionFilter)}


FIELDS = _described()
"""Fields of the filter, by attribute."""

EVERY_EXECUTION = ExecutionFilter()
