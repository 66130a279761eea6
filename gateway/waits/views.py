"""Types of waits, approvals and their forms in answers and requests."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.executions.node_waits import (
    MAX_NOTE,
    Answer,
    AnswererKind,
    Decision,
    NodeWait,
    WaitKind,
)
from engine.values.fields import FieldType
from engine.values.plain import moment
from gateway.http.types import (
    OBJECT,
    Moment,
    Nested,
    RequestBody,
    Uuid,
    View,
    described_as,
    doc,
    refused,
)
from gateway.openapi.examples import CREATED, EXECUTION_ID

Url = Annotated[
    str | None,
    doc(
        "The link at which its holder answers, without an account; null in an installation"
        " without a secret key."
    ),
]


class FieldView(View, kw_only=True):
    """A field of a workflow, a model or an approval, in the shape of `Field.as_dict`."""

    name: str
    label: str
    type: FieldType
    required: bool
    default: Any | UnsetType = UNSET
    options: list[str | float] | UnsetType = UNSET
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET
    step: float | UnsetType = UNSET
    max_length: int | UnsetType = UNSET
    helper_text: str | UnsetType = UNSET


class WaitView(Nested, kw_only=True):
    """A node that waits: until a time, or for the answer of a person."""

    node_id: str
    kind: WaitKind
    since: Moment
    until: Annotated[
        Moment, doc("Time at which the node goes on by itself; of an approval, the time to answer.")
    ]
    execution_id: Annotated[
        Uuid | UnsetType, doc("The execution below this one whose node waits; absent of its own.")
    ] = UNSET
    title: Annotated[str | UnsetType, doc("Question of an approval, in a line.")] = UNSET
    message: Annotated[str | UnsetType, doc("Text for its approver, without markup.")] = UNSET
    fields: Annotated[
        Sequence[Mapping[str, Any]] | UnsetType,
        described_as(list[FieldView] | UnsetType),
        doc("Form of the answer to an approval."),
    ] = UNSET
    url: Annotated[
        str | None | UnsetType,
        doc(
            "The link of an approval, at which its holder answers without an account; for"
            " sessions and for keys with `execution:approve`. Null in an installation without a"
            " secret key."
        ),
    ] = UNSET

    @classmethod
    def of_wait(cls, wait: NodeWait, shown_in: str, url: str | UnsetType | None = UNSET) -> Self:
        """Build the entry of a wait in the answer about the execution `shown_in`."""
        is_approval = wait.kind is WaitKind.APPROVAL
        return cls(
            node_id=wait.node_id,
            kind=wait.kind,
            since=moment(wait.since),
            until=moment(wait.until),
            execution_id=UNSET if wait.execution_id == shown_in else wait.execution_id,
            title=wait.title if is_approval else UNSET,
            message=wait.message if is_approval else UNSET,
            fields=wait.fields if is_approval else UNSET,
            url=url if is_approval else UNSET,
        )


class ApprovalRow(Nested, kw_only=True):
    """An approval that waits for an answer."""

    execution_id: Uuid
    root_id: Annotated[
        Uuid | None, doc("The first execution above it, which a caller began; null: it is one.")
    ]
    node_id: str
    workflow_slug: Annotated[str | None, doc("Workflow whose run asks.")]
    title: Annotated[str, doc("The question, in a line.")]
    message: Annotated[str, doc("Text for the approver, without markup.")]
    fields: Annotated[
        Sequence[Mapping[str, Any]],
        described_as(list[FieldView]),
        doc("Form of the answer."),
    ]
    since: Moment
    until: Annotated[Moment, doc("Time to answer.")]
    url: Url

    @classmethod
    def of_wait(cls, wait: NodeWait, url: str | None) -> Self:
        """Build the row of an approval."""
        is_root = wait.root_id == wait.execution_id
        return cls.from_record(
            wait,
            root_id=None if is_root else wait.root_id,
            workflow_slug=wait.workflow_slug or None,
            url=url,
        )


class ApprovalPage(View):
    """A page of approvals that wait for an answer, newest first."""

    rows: list[ApprovalRow]
    next_cursor: str | None


NOTE_PATTERN = r"^[^\x00]*$"


class AnswerRequest(RequestBody, forbid_unknown_fields=True):
    """An answer to an approval."""

    decision: Decision
    fields: Annotated[
        OBJECT,
        doc(
            "A value for each field of the form. To refuse none is required, and rules other than"
            " the type are not checked."
        ),
        refused("must be an object"),
    ] = {}
    note: Annotated[
        Annotated[str, Meta(max_length=MAX_NOTE, pattern=NOTE_PATTERN)] | None,
        doc("Reasons of the approver."),
        refused(f"must be null or a text of at most {MAX_NOTE} characters without NUL"),
    ] = None


class AnswererView(Nested):
    """Answerer: a session, a key, the holder of the link, or the end of the time to answer."""

    kind: AnswererKind
    id: Annotated[
        str | UnsetType, doc("Id of the session or key; absent of a link and of a time-out.")
    ] = UNSET


class AnswerView(View):
    """The answer that an approval has, as its node delivers it at `answer-out`."""

    decision: Decision
    fields: Annotated[Mapping[str, Any], described_as(OBJECT)]
    note: str | None
    by: AnswererView
    at: Moment

    @classmethod
    def of_answer(cls, answer: Answer) -> Self:
        """Build the view of an answer."""
        return cls.from_record(answer, by=AnswererView.from_record(answer.by))


FIELD: dict[str, Any] = {
    "name": "headline",
    "label": "Headline",
    "type": "text",
    "required": False,
    "default": "News",
}
EXAMPLE_URL = "https://headrace.example.com/approvals/3q2-7wAAAABkb25vdHVzZXRoaXM"
UNTIL = "2026-03-08T09:30:00.004Z"
WAITING = WaitView(
    node_id="ask",
    kind=WaitKind.APPROVAL,
    since=CREATED,
    until=UNTIL,
    title="Publish this post?",
    message="It goes to 4,000 readers.",
    fields=[FIELD],
    url=EXAMPLE_URL,
)
ApprovalPage.examples = (
    ApprovalPage(
        [
            ApprovalRow(
                execution_id=EXECUTION_ID,
                root_id=None,
                node_id="ask",
                workflow_slug="post-after-approval",
                title="Publish this post?",
                message="It goes to 4,000 readers.",
                fields=[FIELD],
                since=CREATED,
                until=UNTIL,
                url=EXAMPLE_URL,
            )
        ],
        None,
    ),
)
AnswerRequest.examples = (
    AnswerRequest(Decision.APPROVE, {"headline": "Good news"}, "Well written."),
    AnswerRequest(Decision.REFUSE, note="Not this week."),
)
AnswerView.examples = (
    AnswerView(
        decision=Decision.APPROVE,
        fields={"headline": "Good news"},
        note="Well written.",
        by=AnswererView(AnswererKind.SESSION, "ses_5d41402abc4b2a76b9719d911017c592"),
        at="2026-03-01T14:30:00.000Z",
    ),
)
