"""Approval: asks a person, and passes a value to one of two outputs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.errors.nodes import NodeFailed, SettingsError
from engine.executions.node_waits import (
    DEFAULT_TIMEOUT,
    MAX_FORM_BYTES,
    MAX_MESSAGE,
    MAX_SECONDS,
    MAX_TITLE,
    MIN_TIMEOUT,
    Answer,
    Decision,
    NewWait,
    OnTimeout,
    WaitKind,
)
from engine.nodes.support.base import Outputs
from engine.nodes.support.expressions import VALUE_IN
from engine.nodes.support.settings import (
    Faults,
    Schema,
    Setting,
    choice,
    is_number,
    read_all,
    reader,
    template,
)
from engine.nodes.support.waits import (
    APPROVAL_TIMEOUT,
    INVALID_INPUTS,
    WaitingNode,
    refuse_retry,
)
from engine.values.field_settings import FIELDS_SCHEMA, sketch_fields
from engine.values.fields import MEDIA, Field, FieldType, parse_fields
from engine.values.plain import moment
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, members_read, placeholder_names

APPROVED_OUT = "approved-out"
REFUSED_OUT = "refused-out"
ANSWER_OUT = "answer-out"
WAYS = {Decision.APPROVE: APPROVED_OUT, Decision.REFUSE: REFUSED_OUT}
NO_MEDIA_WORDS = "an answer has no media; ask for a link in a text instead"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSettings:
    """Question, form of the answer, and effect of none."""

    title: Template
    message: Template
    fields: tuple[Field, ...]
    timeout_seconds: float
    on_timeout: OnTimeout

    @property
    def templates(self) -> tuple[Template, Template]:
        """Both texts of the question."""
        return self.title, self.message


def _read_fields(raw: object, path: str, faults: Faults) -> tuple[Field, ...]:
    try:
        fields = parse_fields(raw)
    except SettingsError as error:
        faults.extend(error)
        return sketch_fields(raw)
    for position, field in enumerate(fields):
        if field.type in MEDIA:
            faults.add(f"{path}[{position}].type", f"is '{field.type}': {NO_MEDIA_WORDS}")
    size = len(msgspec.json.encode([field.as_dict() for field in fields]))
    if size > MAX_FORM_BYTES:
        reason = f"{path} has {size:,} bytes in JSON; a form has at most {MAX_FORM_BYTES:,}"
        faults.add_rule(reason, path)
    return fields


def _fields_schema() -> Schema:
    """Return the schema of the fields of a Request Input without media."""
    items = FIELDS_SCHEMA["items"]
    kinds = {"enum": [kind.value for kind in FieldType if kind not in MEDIA]}
    properties = {**items["properties"], "type": kinds}
    return {**FIELDS_SCHEMA, "items": {**items, "properties": properties}}


def _accept_timeout(raw: object) -> float | None:
    return float(raw) if is_number(raw) and MIN_TIMEOUT <= raw <= MAX_SECONDS else None


FIELDS = Setting(
    name="fields",
    about="Fields that the approver fills in, in the order of the form.",
    widget="fields",
    value=_fields_schema(),
    parse=_read_fields,
    fallback=(),
)
TIMEOUT = Setting(
    name="timeoutSeconds",
    title="Time to answer",
    about="Seconds in which the approval can be answered.",
    widget="duration",
    value={"type": "number", "minimum": MIN_TIMEOUT, "maximum": MAX_SECONDS},
    parse=reader(
        _accept_timeout, f"must be a number of seconds from {MIN_TIMEOUT} to {MAX_SECONDS}"
    ),
    default=DEFAULT_TIMEOUT,
    fallback=float(DEFAULT_TIMEOUT),
)
ON_TIMEOUT = choice(
    "onTimeout",
    "Effect of no answer in time: the node fails, or it counts as refused or as approved.",
    tuple(OnTimeout),
    default=OnTimeout.FAIL,
    title="If nobody answers",
)


class Approval(WaitingNode):
    """Waits for a person's answer, and passes the wired value on by the way that it chooses."""

    type = "approval"
    label = "Approval"
    description = "Asks a person, waits for the answer, and passes a value on by the chosen way."
    is_dynamic = True
    ways = frozenset(WAYS.values())
    members = (
        template("title", "Question in a line; each {{ placeholder }} is a socket.", [VALUE_IN]),
        template("message", "Text below it; each {{ placeholder }} is a socket.", [VALUE_IN]),
        FIELDS,
        TIMEOUT,
        ON_TIMEOUT,
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> ApprovalSettings:
        given = read_all(self.members, data, faults)
        refuse_retry(data, faults)
        return ApprovalSettings(
            title=given["title"],
            message=given["message"],
            fields=given["fields"],
            timeout_seconds=given["timeoutSeconds"],
            on_timeout=OnTimeout(given["onTimeout"]),
        )

    def inputs(self, settings: ApprovalSettings) -> Mapping[str, Socket]:
        placeholder = Socket(type=SocketType.ANY, required=True)
        named = dict.fromkeys(placeholder_names(settings.templates), placeholder)
        return {VALUE_IN: Socket(type=SocketType.ANY), **named}

    def outputs(self, settings: ApprovalSettings) -> Mapping[str, Socket]:
        names = (APPROVED_OUT, REFUSED_OUT, ANSWER_OUT)
        return {name: Socket(type=SocketType.ANY) for name in names}

    def reads(self, settings: ApprovalSettings, socket: str) -> Collection[str] | None:
        is_value = socket == VALUE_IN
        return None if is_value else members_read(settings.templates, socket)

    def estimate_outputs(
        self, settings: ApprovalSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return dict.fromkeys(WAYS.values(), inputs.get(VALUE_IN))

    def begin(self, settings: ApprovalSettings, inputs: Mapping[str, Any], now: int) -> NewWait:
        return NewWait(
            kind=WaitKind.APPROVAL,
            duration_ms=int(settings.timeout_seconds * 1000),
            title=_render("title", settings.title, inputs, MAX_TITLE),
            message=_render("message", settings.message, inputs, MAX_MESSAGE),
            fields=tuple(field.as_dict() for field in settings.fields),
            on_timeout=settings.on_timeout,
        )

    def collect(
        self, settings: ApprovalSettings, inputs: Mapping[str, Any], answer: Answer | None = None
    ) -> Outputs:
        if answer is None:
            within = _period_words(settings.timeout_seconds)
            raise NodeFailed(APPROVAL_TIMEOUT, f"Nobody answered the approval within {within}")
        return {WAYS[answer.decision]: inputs.get(VALUE_IN), ANSWER_OUT: _answer_value(answer)}


def _answer_value(answer: Answer) -> dict[str, Any]:
    """Return an answer in the format of the API."""
    by: dict[str, Any] = {"kind": answer.by.kind.value}
    return {
        "decision": answer.decision.value,
        "fields": dict(answer.fields),
        "note": answer.note,
        "by": by if answer.by.id is None else {**by, "id": answer.by.id},
        "at": moment(answer.at),
    }


def _render(name: str, text: Template, inputs: Mapping[str, Any], most: int) -> str:
    """Return a text of the question: nobody is asked about a part of it. Raises NodeFailed."""
    rendered = text.render(inputs)
    if len(rendered) > most:
        message = (
            f"The {name} has {len(rendered)} characters with its values; at most {most} are shown"
        )
        raise NodeFailed(INVALID_INPUTS, message)
    return rendered


def _period_words(seconds: float) -> str:
    """Return a period in its largest unit that gives a whole number."""
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"
