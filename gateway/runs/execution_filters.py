"""Filters of executions in queries and bodies, made from the fields of `ExecutionFilter`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, cast

from msgspec import defstruct, field

from engine.access.capabilities import MODEL_NAME
from engine.errors import InvalidBody, InvalidQuery
from engine.executions.execution import ExecutionStatus
from engine.executions.filter import FIELDS, ID_START, NONE, ExecutionFilter, FilterField, ValueForm
from engine.executions.sources import Source
from engine.ids.slugs import SLUG
from engine.values.plain import parse_moment
from gateway.http.query import MAX_NAME, MAX_VERSION, Query
from gateway.http.types import Moment, Parameter, RequestBody, Schema, doc, refused
from gateway.openapi.examples import CREATED
from gateway.openapi.schema import INTEGER, MOMENT, TEXT, described, matching, one_of

A_MOMENT = f"must be a time with a zone, such as {CREATED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormReader:
    """Schema and reading of one form of values."""

    schema: Schema
    """Of the query parameter."""
    read: Callable[[Query, str], Any]
    """Returns the filter's value for a query. Raises InvalidQuery."""
    member: Any = Annotated[str | None, refused("must be a text")]
    """Type in bodies."""
    is_read_in_bodies: bool = False
    """Whether `read` makes the value of a body too; else it is that of the body."""


def read_moment(query: Query, name: str) -> int | None:
    """Return a time in milliseconds, None when it is absent. Raises InvalidQuery."""
    value = query.text(name)
    if value is None:
        return None
    at = parse_moment(value)
    if at is None:
        raise InvalidQuery(name, f"'{name}' {A_MOMENT}")
    return at


def _read_name(query: Query, name: str) -> str | None:
    value = query.text(name)
    if value is not None and not 1 <= len(value) <= MAX_NAME:
        raise InvalidQuery(name, f"'{name}' must have 1 to {MAX_NAME} characters")
    return value


def _read_model(query: Query, name: str) -> str | None:
    return NONE if query.text(name) == NONE else query.model(name)


def _read_id_start(query: Query, name: str) -> str:
    start = query.text(name)
    if start is not None and ID_START.fullmatch(start) is None:
        raise InvalidQuery(name, f"'{name}' must be the start of an execution's id")
    return start or ""


FORMS: Mapping[ValueForm, FormReader] = {
    ValueForm.STATUSES: FormReader(
        schema={"type": "array", "items": one_of(ExecutionStatus)},
        read=lambda query, name: query.choices(name, ExecutionStatus),
        member=Annotated[str | list[str] | None, refused("must be a status or a list of them")],
        is_read_in_bodies=True,
    ),
    ValueForm.SLUG: FormReader(
        schema=matching(SLUG.pattern), read=Query.slug, is_read_in_bodies=True
    ),
    ValueForm.VERSION: FormReader(
        schema={**INTEGER, "minimum": 1, "maximum": MAX_VERSION},
        read=lambda query, name: query.optional_integer(name, low=1, high=MAX_VERSION),
        member=Annotated[int | None, refused("must be a whole number")],
    ),
    ValueForm.SOURCE: FormReader(
        schema=one_of(Source),
        read=lambda query, name: query.choice(name, Source),
        is_read_in_bodies=True,
    ),
    ValueForm.NAME: FormReader(schema=TEXT, read=_read_name),
    ValueForm.MODEL: FormReader(schema=matching(rf"{MODEL_NAME}|{NONE}"), read=_read_model),
    ValueForm.MOMENT: FormReader(
        schema=MOMENT,
        read=read_moment,
        member=Annotated[Moment | None, refused(A_MOMENT)],
        is_read_in_bodies=True,
    ),
    ValueForm.ID_START: FormReader(
        schema=matching(ID_START.pattern), read=_read_id_start, is_read_in_bodies=True
    ),
}


def _parameter(each: FilterField) -> Parameter:
    words = f"Only executions {each.words}."
    return each.name, described(FORMS[each.form].schema, words, each.example)


FILTERS = tuple(map(_parameter, FIELDS.values()))
"""Parameters of all filters."""


def read_filter(query: Query) -> ExecutionFilter:
    """Return the filters of a query. Raises InvalidQuery."""
    values = {name: FORMS[each.form].read(query, each.name) for name, each in FIELDS.items()}
    return ExecutionFilter(**values)


class FilterBody(RequestBody):
    """Body of filters, of which one at least is needed; `of_all_filters` makes the members."""

    @classmethod
    def of_all_filters(cls, name: str) -> type[Self]:
        """Return a type with a member for each filter, described as this one."""
        members = [
            (
                attribute,
                Annotated[FORMS[each.form].member, doc(f"Only executions {each.words}.")],
                field(name=each.name, default=None),
            )
            for attribute, each in FIELDS.items()
        ]
        kind = defstruct(
            name,
            members,
            bases=(cls,),
            namespace={"__doc__": cls.__doc__},
            kw_only=True,
            forbid_unknown_fields=True,
        )
        return cast("type[Self]", kind)

    def __post_init__(self) -> None:
        """Check that there is a filter, and its values. Raises InvalidBody."""
        if all(getattr(self, attribute) is None for attribute in FIELDS):
            names = ", ".join(repr(each.name) for each in FIELDS.values())
            raise InvalidBody(f"One of {names} is needed", field="workflowSlug")
        self.read_filter()

    def read_filter(self) -> ExecutionFilter:
        """Return the filter. Raises InvalidBody for a wrong value."""
        values = {name: getattr(self, name) for name in FIELDS}
        found = {
            name: _read_member(FIELDS[name], value)
            for name, value in values.items()
            if value is not None
        }
        return ExecutionFilter(**found)


def _read_member(each: FilterField, value: Any) -> Any:
    form = FORMS[each.form]
    if not form.is_read_in_bodies:
        return value
    texts = [value] if isinstance(value, str) else value
    if not texts:
        raise InvalidBody(f"'{each.name}' must name a status", field=each.name)
    try:
        return form.read(Query.of(each.name, texts), each.name)
    except InvalidQuery as error:
        raise InvalidBody(error.message, field=each.name) from None
