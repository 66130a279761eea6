"""Types of answers about triggers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from msgspec import UNSET, UnsetType, field

from engine.ids.triggers import due_occurrence_id, occurrence_execution_id
from engine.triggers.occurrences import FailReason, Occurrence, OccurrenceStatus
from engine.triggers.trigger import (
    HookSettings,
    Missed,
    Overlap,
    Respond,
    ScheduleSettings,
    SignatureEncoding,
    Trigger,
    TriggerKind,
    TriggerSettings,
    Verify,
    VerifyKind,
)
from engine.values.plain import moment
from gateway.http.types import OBJECT, Moment, Nested, Uuid, View, doc
from gateway.openapi.examples import KEY_ID, TRIGGER_ID
from gateway.runs.webhooks import WebhookEvents

HOOKS = "/hooks/"
"""Start of the paths of inbound webhooks."""


class OccurrenceView(View, kw_only=True):
    """A due time or an event of a trigger, and its outcome."""

    id: Uuid
    at: Annotated[Moment, doc("The due time, or the time of the event.")]
    status: OccurrenceStatus
    reason: Annotated[str | None, doc("Null where a run was started or the time was missed.")]
    execution_id: Annotated[Uuid | None, doc("The run that it started.")]
    count: Annotated[
        int | UnsetType, doc("Number of missed due times that it stands for; absent: one.")
    ] = UNSET

    @classmethod
    def from_occurrence(cls, occurrence: Occurrence, **members: Any) -> Self:
        """Build the view of an occurrence."""
        return cls.from_record(
            occurrence,
            at=moment(occurrence.at),
            status=occurrence.status,
            reason=occurrence.reason or None,
            count=UNSET if occurrence.count == 1 else occurrence.count,
            **members,
        )


class VerifyView(Nested, kw_only=True):
    """Verification of the sender of events."""

    kind: VerifyKind
    secret: Annotated[str | UnsetType, doc("Name of a secret of the account.")] = UNSET
    header: str | UnsetType = UNSET
    prefix: str | UnsetType = UNSET
    encoding: SignatureEncoding | UnsetType = UNSET

    @classmethod
    def from_verify(cls, verify: Verify) -> Self:
        """Build the view of a verification."""
        is_hmac = verify.kind is VerifyKind.HMAC
        return cls(
            kind=verify.kind,
            secret=verify.secret or UNSET,
            header=verify.header or UNSET,
            prefix=verify.prefix or UNSET,
            encoding=verify.encoding if is_hmac else UNSET,
        )


class TriggerWebhookView(Nested, kw_only=True):
    """Outbound webhook that is told of the runs, without its secret."""

    url: str
    events: Annotated[
        WebhookEvents | UnsetType, doc("The events that were set; absent: the three ends.")
    ] = UNSET


class TriggerView(View, kw_only=True):
    """A trigger; members of the other kind are absent."""

    id: str
    kind: TriggerKind
    name: str
    workflow_slug: str
    version: Annotated[int | UnsetType, doc("Absent: the live version.")] = UNSET
    enabled: bool
    max_credits: Annotated[
        int | UnsetType, doc("Most credits that each run may cost; absent: no limit of its own.")
    ] = field(default=UNSET, name="max_credits")
    webhook: Annotated[TriggerWebhookView | UnsetType, doc("Absent: nobody is told.")] = UNSET
    cron: Annotated[str | UnsetType, doc("Of a schedule.")] = UNSET
    timezone: Annotated[str | UnsetType, doc("Of a schedule.")] = UNSET
    inputs: Annotated[
        OBJECT | UnsetType,
        doc(
            "Values of a schedule by field; expressions in CEL of an inbound webhook by field,"
            " absent where the body is the inputs."
        ),
    ] = UNSET
    overlap: Annotated[Overlap | UnsetType, doc("Of a schedule.")] = UNSET
    missed: Annotated[Missed | UnsetType, doc("Of a schedule.")] = UNSET
    next_at: Annotated[
        Moment | None | UnsetType,
        doc("Next due time of a schedule; null while it is disabled, or without a further one."),
    ] = UNSET
    url: Annotated[
        str | UnsetType, doc("Of an inbound webhook: the URL to send events to; keep it secret.")
    ] = UNSET
    verify: Annotated[VerifyView | UnsetType, doc("Of an inbound webhook.")] = UNSET
    when: Annotated[str | UnsetType, doc("Of an inbound webhook; absent: always.")] = UNSET
    event_id: Annotated[
        str | UnsetType, doc("Of an inbound webhook; absent: the usual headers and members.")
    ] = UNSET
    respond: Annotated[Respond | UnsetType, doc("Of an inbound webhook.")] = UNSET
    created_by: Annotated[str | None, doc("Id of the key that made it; null: a session.")]
    created_at: Moment
    updated_at: Moment
    last_occurrence: OccurrenceView | None

    @classmethod
    def from_trigger(cls, trigger: Trigger, base: str) -> Self:
        """Build the view of a trigger; `base` is the address of the installation."""
        settings, last = trigger.settings, trigger.last
        webhook = settings.webhook
        return cls(
            id=trigger.id,
            kind=trigger.kind,
            name=settings.name,
            workflow_slug=settings.slug,
            version=_shown(settings.version),
            enabled=trigger.enabled,
            max_credits=_shown(settings.max_credits),
            webhook=UNSET
            if webhook is None
            else TriggerWebhookView(url=webhook.url, events=_shown(webhook.events)),
            created_by=trigger.created_by or None,
            created_at=moment(trigger.created_at),
            updated_at=moment(trigger.updated_at),
            last_occurrence=None if last is None else OccurrenceView.from_occurrence(last),
            **_members_of_kind(trigger, base),
        )


def _shown(value: Any) -> Any:
    return UNSET if value is None else value


def _members_of_kind(trigger: Trigger, base: str) -> Mapping[str, Any]:
    schedule, hook = trigger.settings.schedule, trigger.settings.hook
    if schedule is not None:
        return {
            "cron": schedule.cron,
            "timezone": schedule.timezone,
            "inputs": schedule.inputs,
            "overlap": schedule.overlap,
            "missed": schedule.missed,
            "next_at": moment(trigger.next_at),
        }
    if hook is None:
        return {}
    return {
        "url": _shown(trigger.token and f"{base}{HOOKS}{trigger.token}"),
        "verify": VerifyView.from_verify(hook.verify),
        "when": hook.when or UNSET,
        "inputs": _shown(hook.inputs),
        "event_id": hook.event_id or UNSET,
        "respond": hook.respond,
    }


class TriggerPageView(View):
    """A page of triggers."""

    rows: Sequence[TriggerView]
    next_cursor: str | None


class StartedOccurrenceView(View, kw_only=True):
    """An occurrence that started a run."""

    links = {"get_execution": {"execution_id": "executionId"}}

    execution_id: Uuid
    occurrence_id: Uuid


AT_MS = 1_772_323_200_000
OCCURRENCE = Occurrence(
    id=due_occurrence_id(TRIGGER_ID, AT_MS),
    trigger_id=TRIGGER_ID,
    at=AT_MS,
    status=OccurrenceStatus.STARTED,
)
EXAMPLE_FAILURE = Occurrence(
    id=due_occurrence_id(TRIGGER_ID, AT_MS + 1),
    trigger_id=TRIGGER_ID,
    at=AT_MS + 1,
    status=OccurrenceStatus.FAILED,
    reason=FailReason.INVALID_INPUTS,
)
SCHEDULE = Trigger(
    id=TRIGGER_ID,
    account_id="",
    kind=TriggerKind.SCHEDULE,
    settings=TriggerSettings(
        name="Daily digest",
        slug="greeting",
        schedule=ScheduleSettings(
            cron="0 9 * * *", timezone="Europe/Berlin", inputs={"name": "Ada"}
        ),
    ),
    enabled=True,
    created_by="",
    created_at=AT_MS,
    updated_at=AT_MS,
    revision=1,
    since=AT_MS,
    next_at=AT_MS + 86_400_000,
    last=OCCURRENCE,
)
HOOK = Trigger(
    id="trg_5d2e3071b8ca",
    account_id="",
    kind=TriggerKind.WEBHOOK,
    settings=TriggerSettings(
        name="GitHub issues",
        slug="greeting",
        hook=HookSettings(
            verify=Verify(kind=VerifyKind.GITHUB, secret="GITHUB_SECRET"),  # noqa: S106
            when='body.action == "opened"',
            inputs={"name": "body.issue.user.login"},
        ),
    ),
    enabled=True,
    created_by=KEY_ID,
    created_at=AT_MS,
    updated_at=AT_MS,
    revision=1,
    since=AT_MS,
    token="q3Jm0yqv5l2Wl7V1xg3oYt8C6nB4kZ9dR2sE5uH7pFc",  # noqa: S106
)
EXAMPLES = [TriggerView.from_trigger(each, "https://headrace.example") for each in (SCHEDULE, HOOK)]
OccurrenceView.examples = (
    OccurrenceView.from_occurrence(OCCURRENCE),
    OccurrenceView.from_occurrence(EXAMPLE_FAILURE),
)
TriggerView.examples = tuple(EXAMPLES)
TriggerPageView.examples = (TriggerPageView(EXAMPLES, next_cursor=None),)
StartedOccurrenceView.examples = (
    StartedOccurrenceView(
        execution_id=occurrence_execution_id(OCCURRENCE.id), occurrence_id=OCCURRENCE.id
    ),
)
