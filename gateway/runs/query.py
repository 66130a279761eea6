"""Queries of runs and of lists of executions, and the filters in bodies."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from msgspec import Meta, Struct, defstruct, field

from engine.access.capabilities import MODEL_NAME
from engine.billing.credits import MAX_CREDITS
from engine.errors import InvalidBody, InvalidQuery
from engine.executions.filter import FIELDS, ID_START, NONE, ExecutionFilter, FilterField, ValueForm
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus
from engine.ids.executions import UUID
from engine.store.archive.archive import ParentNode
from gateway.http.query import (
    MAX_NAME,
    PageQuery,
    QueryParameters,
    Seconds,
    Slug,
    Version,
    VersionOrAlias,
)
from gateway.http.types import Instant, Parameter, RequestBody, described_as, doc, refused
from gateway.openapi.examples import EXECUTION_ID
from gateway.openapi.schema import TEXT, described, matching
from gateway.runs.tags import WantedTags, WantedTagsOfBody

PREFER: Parameter = (
    "Prefer",
    described(TEXT, "How long to wait, as `timeout` says it.", "wait=30"),
)
IDEMPOTENCY_KEY: Parameter = (
    "Idempotency-Key",
    described(
        matching(r'[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}"'),
        "A call that is repeated with the same key within a day runs once.",
        "order-4711",
    ),
)


class RetryQuery(QueryParameters):
    """Query of a retry."""

    max_credits: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_CREDITS)] | None,
        doc("Most credits that the run may cost.", 100),
    ] = field(default=None, name="max_credits")


class RunQuery(RetryQuery):
    """Query of a run."""

    is_async: Annotated[
        bool,
        described_as(
            bool | Literal["", "0", "1"],
            description="Answer at once with the URL to poll. Without a value it is true.",
            examples=[True],
        ),
    ] = field(default=False, name="async")
    timeout: Annotated[
        Seconds | None,
        doc("Seconds to wait for the end; then the answer is a 202.", 30),
    ] = None


class WorkflowRunQuery(RunQuery):
    """Query of a run of a workflow."""

    version: Annotated[
        VersionOrAlias | None,
        doc("A version that is kept, or an alias, instead of the live one.", 3),
    ] = None


ParentId = Annotated[
    str, Meta(pattern=f"^(?:{UUID.pattern})$"), refused("must be the id of an execution")
]
ID_START_REFUSED = refused("must be the start of an execution's id")
KINDS: Mapping[ValueForm, Any] = {
    ValueForm.STATUSES: list[ExecutionStatus],
    ValueForm.SLUG: Slug,
    ValueForm.VERSION: Version,
    ValueForm.SOURCE: Source,
    ValueForm.NAME: Annotated[
        str,
        Meta(min_length=1, max_length=MAX_NAME),
        refused(f"must have 1 to {MAX_NAME} characters"),
    ],
    ValueForm.MODEL: Annotated[
        str,
        Meta(pattern=f"^(?:{MODEL_NAME}|{NONE})$"),
        refused("must be a model's internal name"),
    ],
    ValueForm.MOMENT: Instant,
    ValueForm.TAGS: WantedTags,
    ValueForm.BATCH: Annotated[
        str, Meta(pattern=f"^(?:{UUID.pattern})$"), refused("must be the id of a batch")
    ],
    ValueForm.TRACE: Annotated[
        str, Meta(pattern="^[0-9a-f]{32}$"), refused("must be the id of a trace, 32 digits of hex")
    ],
    ValueForm.ID_START: Annotated[str, Meta(pattern=f"^(?:{ID_START.pattern})$"), ID_START_REFUSED],
}
"""Types of the values of filters, in queries and in bodies."""
STATUSES_OF_BODY = Annotated[
    ExecutionStatus | Annotated[list[ExecutionStatus], Meta(min_length=1)],
    refused(f"must be one of {', '.join(ExecutionStatus)}, or a list of these"),
]
KINDS_OF_BODY: Mapping[ValueForm, Any] = {
    ValueForm.STATUSES: STATUSES_OF_BODY,
    ValueForm.TAGS: WantedTagsOfBody,
}
"""Types of values that differ in bodies: one alone, or a list."""


def _members(kinds: Mapping[ValueForm, Any]) -> list[tuple[str, Any, Any]]:
    """Return a member for each field of a filter, as `defstruct` takes it."""
    return [
        (name, _kind(each, kinds), field(default=None, name=each.name))
        for name, each in FIELDS.items()
    ]


def _kind(each: FilterField, kinds: Mapping[ValueForm, Any]) -> Any:
    words = f"Only executions {each.words}."
    return Annotated[kinds[each.form] | None, doc(words, each.example)]


def _make_filter(members: Struct) -> ExecutionFilter:
    """Return the filter that a query or a body has."""
    values = {name: value for name in FIELDS if (value := getattr(members, name)) is not None}
    for name in ("statuses", "tags"):
        if isinstance(values.get(name), str):
            values[name] = (values[name],)
    return ExecutionFilter(**values)


class FilteredPageQuery(PageQuery):
    """Query of a list of executions; `ExecutionQuery` has the filters."""

    parent_id: Annotated[
        ParentId | None,
        doc("With `parentNodeId`: the executions that this one's node began.", EXECUTION_ID),
    ] = None
    parent_node_id: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        doc("The node of `parentId`. Of the filters, `status` alone goes with it.", "each"),
    ] = None

    @property
    def parent_node(self) -> ParentNode | None:
        """Return the node whose children are listed, None: the list is of roots.

        Raises InvalidQuery for one of the two members alone, and for filters that it does not take.
        """
        members = {"parentId": self.parent_id, "parentNodeId": self.parent_node_id}
        missing = [name for name, value in members.items() if value is None]
        if len(missing) == len(members):
            return None
        for name in missing:
            raise InvalidQuery(
                name, f"'parentId' and 'parentNodeId' go together: '{name}' is missing"
            )
        for attribute, each in FIELDS.items():
            if each.form is not ValueForm.STATUSES and getattr(self, attribute) is not None:
                raise InvalidQuery(each.name, f"'{each.name}' does not go with 'parentId'")
        return ParentNode(self.parent_id or "", self.parent_node_id or "")

    def read_filter(self) -> ExecutionFilter:
        """Return the filter."""
        return _make_filter(self)


ExecutionQuery = cast(
    "type[FilteredPageQuery]",
    defstruct("ExecutionQuery", _members(KINDS), bases=(FilteredPageQuery,), kw_only=True),
)


class FilterBody(RequestBody):
    """Body of filters, of which one at least is needed; `of_all_filters` makes the members."""

    @classmethod
    def of_all_filters(cls, name: str) -> type[Self]:
        """Return a type with a member for each filter, described as this one."""
        kind = defstruct(
            name,
            _members({**KINDS, **KINDS_OF_BODY}),
            bases=(cls,),
            namespace={"__doc__": cls.__doc__},
            kw_only=True,
            forbid_unknown_fields=True,
        )
        return cast("type[Self]", kind)

    def __post_init__(self) -> None:
        """Check that there is a filter. Raises InvalidBody."""
        if all(getattr(self, attribute) is None for attribute in FIELDS):
            names = ", ".join(repr(each.name) for each in FIELDS.values())
            raise InvalidBody(f"One of {names} is needed", field="workflowSlug")

    def read_filter(self) -> ExecutionFilter:
        """Return the filter."""
        return _make_filter(self)
