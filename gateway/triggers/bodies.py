"""Bodies of triggers: their members, and the settings that these make."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import replace

from engine.billing.credits import MAX_CREDITS
from engine.errors import InvalidTrigger
from engine.ids.secret_names import NAME as SECRET_NAME
from engine.ids.secret_names import NAME_WORDS
from engine.triggers.trigger import (
    HookSettings,
    Missed,
    Overlap,
    Respond,
    ScheduleSettings,
    SignatureEncoding,
    TriggerKind,
    TriggerSettings,
    Verify,
    VerifyKind,
)
from gateway.http.query import Slug, Version
from gateway.http.types import (
    NOT_BLANK,
    OBJECT,
    described_as,
    doc,
    members_of,
    refused,
)
from gateway.runs.webhooks import WebhookOfRun, WebhookSecret
from gateway.triggers.trigger_body import TriggerBody

MAX_NAME = 100
MAX_HEADER = 128
MAX_PREFIX = 64
SCHEDULE_MEMBERS = ("cron", "timezone", "overlap", "missed")
HOOK_MEMBERS = ("verify", "when", "event_id", "respond")

TriggerName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=NOT_BLANK)]
SecretName = Annotated[str, Meta(pattern=f"^(?:{SECRET_NAME})$")]
INPUTS = doc(
    "Of a schedule: a value for each field of the workflow's schema. Of an inbound webhook: an"
    " expression in CEL for each of them; left out, the body is the inputs, if it is an object."
)


class VerifyRequest(TriggerBody, kw_only=True):
    """Verification of the sender of events."""

    kind: VerifyKind
    secret: Annotated[
        SecretName | None,
        doc("Name of a secret of the account; none for the kind `none` alone.", "GITHUB_SECRET"),
        refused(f"must be the name of a secret: {NAME_WORDS}"),
    ] = None
    header: Annotated[
        Annotated[str, Meta(min_length=1, max_length=MAX_HEADER)] | None,
        doc("For the kind `hmac`: header with the signature; `x-signature` if left out."),
        refused(f"must be the name of a header, of at most {MAX_HEADER} characters"),
    ] = None
    prefix: Annotated[
        Annotated[str, Meta(max_length=MAX_PREFIX)] | None,
        doc("For the kind `hmac`: text before the signature.", "sha256="),
        refused(f"must be a text of at most {MAX_PREFIX} characters"),
    ] = None
    encoding: Annotated[
        SignatureEncoding | None, doc("For the kind `hmac`: `hex` if left out.")
    ] = None


class WebhookOfTrigger(WebhookOfRun, kw_only=True):
    """A webhook for the runs of this trigger."""

    secret: Annotated[
        WebhookSecret | UnsetType,
        doc("Never shown. It may be left out of a change that keeps the origin of the URL."),
    ] = UNSET


class TriggerChanges(TriggerBody, kw_only=True):
    """Changes of a trigger; members that are left out stay as they are, the kind always does."""

    kind: TriggerKind | UnsetType = UNSET
    name: Annotated[
        TriggerName | UnsetType, refused(f"must be a text of 1 to {MAX_NAME} characters")
    ] = UNSET
    workflow_slug: Slug | UnsetType = UNSET
    version: Annotated[
        Version | None | UnsetType,
        doc("A version that is kept; null: the live one.", 3),
        refused("must be the number of a version, or null"),
    ] = UNSET
    enabled: bool | UnsetType = UNSET
    max_credits: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_CREDITS)] | None | UnsetType,
        doc("Most credits that each run may cost; null: all that the balance allows.", 100),
        refused(f"must be a whole number from 0 to {MAX_CREDITS}, or null"),
    ] = field(default=UNSET, name="max_credits")
    webhook: Annotated[
        Any,
        described_as(WebhookOfTrigger | None),
        doc("Told of the runs, in place of every key's webhook; null: nobody is."),
    ] = UNSET
    cron: Annotated[
        str | UnsetType,
        doc(
            "Of a schedule, which needs it: five fields, or `@hourly`, `@daily`, `@weekly`,"
            " `@monthly` or `@yearly`.",
            "0 9 * * 1",
        ),
        refused("must be a text: a cron expression"),
    ] = UNSET
    timezone: Annotated[
        str | UnsetType,
        doc("Of a schedule: IANA name of the time zone; `UTC` by default.", "Europe/Berlin"),
        refused("must be the IANA name of a time zone, such as Europe/Berlin"),
    ] = UNSET
    inputs: Annotated[OBJECT | None | UnsetType, INPUTS, refused("must be an object")] = UNSET
    overlap: Annotated[
        Overlap | UnsetType,
        doc("Of a schedule: `skip`: no run starts while the last one of the trigger goes on."),
    ] = UNSET
    missed: Annotated[
        Missed | UnsetType,
        doc("Of a schedule: which of the times that passed while nothing could run are started."),
    ] = UNSET
    verify: Annotated[
        Any,
        described_as(VerifyRequest),
        doc("Of an inbound webhook, which needs it; it is replaced whole."),
    ] = UNSET
    when: Annotated[
        str | None | UnsetType,
        doc("Of an inbound webhook: condition in CEL; null: none."),
        refused("must be a text: an expression in CEL"),
    ] = UNSET
    event_id: Annotated[
        str | None | UnsetType,
        doc("Of an inbound webhook: id of the event in CEL; null: the usual headers and members."),
        refused("must be a text: an expression in CEL"),
    ] = UNSET
    respond: Annotated[
        Respond | UnsetType,
        doc("Of an inbound webhook: `result`: the answer to an event is that of a run."),
    ] = UNSET

    def change(self, former: TriggerSettings) -> TriggerSettings:
        """Return the settings after the changes, but for the webhook. Raises InvalidTrigger."""
        if self.kind not in (UNSET, former.kind):
            raise InvalidTrigger("kind", f"The kind of a trigger stays: this is a {former.kind}")
        self._check_members(former.kind)
        return replace(
            former,
            **_given(name=self.name, slug=self.workflow_slug),
            **_given(version=self.version, max_credits=self.max_credits),
            schedule=None if former.schedule is None else self._change_schedule(former.schedule),
            hook=None if former.hook is None else self._change_hook(former.hook),
        )

    def _check_members(self, kind: TriggerKind) -> None:
        """Raise InvalidTrigger for members of the other kind: they would do nothing."""
        is_schedule = kind is TriggerKind.SCHEDULE
        others = HOOK_MEMBERS if is_schedule else SCHEDULE_MEMBERS
        for member in members_of(type(self)):
            if member.attribute in others and getattr(self, member.attribute) is not UNSET:
                reason = f"A trigger of the kind '{kind}' has no member '{member.name}'"
                raise InvalidTrigger(member.name, reason)

    def _change_schedule(self, former: ScheduleSettings) -> ScheduleSettings:
        if self.inputs is None:
            raise InvalidTrigger("inputs", "'inputs' must be an object")
        return replace(
            former,
            **_given(cron=self.cron, timezone=self.timezone, inputs=self.inputs),
            **_given(overlap=self.overlap, missed=self.missed),
        )

    def _change_hook(self, former: HookSettings) -> HookSettings:
        if self.inputs:
            for name, expression in self.inputs.items():
                if not isinstance(expression, str):
                    field = f"inputs.{name[:64]}"
                    raise InvalidTrigger(field, f"'{field}' must be a text: an expression in CEL")
        return replace(
            former,
            **_given(inputs=self.inputs, respond=self.respond),
            **({} if self.verify is UNSET else {"verify": read_verify(self.verify)}),
            **({} if self.when is UNSET else {"when": self.when or ""}),
            **({} if self.event_id is UNSET else {"event_id": self.event_id or ""}),
        )


class TriggerRequest(TriggerChanges, kw_only=True):
    """A trigger to make."""

    kind: TriggerKind
    name: Annotated[TriggerName, refused(f"must be a text of 1 to {MAX_NAME} characters")]
    workflow_slug: Slug

    def make(self) -> TriggerSettings:
        """Return the settings of a new trigger, but for the webhook. Raises InvalidTrigger."""
        is_schedule = self.kind is TriggerKind.SCHEDULE
        required = "cron" if is_schedule else "verify"
        if getattr(self, required) is UNSET:
            raise InvalidTrigger(required, f"A trigger of the kind '{self.kind}' has '{required}'")
        return self.change(
            TriggerSettings(
                name=self.name,
                slug=self.workflow_slug,
                schedule=ScheduleSettings(cron="") if is_schedule else None,
                hook=None if is_schedule else HookSettings(),
            )
        )


def read_verify(value: Any) -> Verify:
    """Return the verification that a body asks for. Raises InvalidTrigger."""
    if not isinstance(value, dict):
        raise InvalidTrigger("verify", "'verify' must be an object with a kind")
    body = VerifyRequest.parse(value, "verify.")
    is_hmac, is_none = body.kind is VerifyKind.HMAC, body.kind is VerifyKind.NONE
    for name in ("header", "prefix", "encoding"):
        if not is_hmac and getattr(body, name) is not None:
            reason = f"'verify.{name}' is for the kind 'hmac' alone"
            raise InvalidTrigger(f"verify.{name}", reason)
    if is_none and body.secret is not None:
        raise InvalidTrigger("verify.secret", "The kind 'none' verifies nothing: it has no secret")
    if not is_none and body.secret is None:
        reason = f"The kind '{body.kind}' needs the name of a secret of the account"
        raise InvalidTrigger("verify.secret", reason)
    return Verify(
        kind=body.kind,
        secret=body.secret or "",
        header=(body.header or "").lower(),
        prefix=body.prefix or "",
        encoding=body.encoding or SignatureEncoding.HEX,
    )


def _given(**members: Any) -> dict[str, Any]:
    """Return the members that the body has."""
    return {name: value for name, value in members.items() if value is not UNSET}


TriggerRequest.examples = (
    TriggerRequest(
        kind=TriggerKind.SCHEDULE,
        name="Daily digest",
        workflow_slug="greeting",
        cron="0 9 * * *",
        timezone="Europe/Berlin",
        inputs={"name": "Ada"},
    ),
    TriggerRequest(
        kind=TriggerKind.WEBHOOK,
        name="GitHub issues",
        workflow_slug="greeting",
        verify={"kind": "github", "secret": "GITHUB_SECRET"},
        when='body.action == "opened"',
        inputs={"name": "body.issue.user.login"},
    ),
)
TriggerChanges.examples = (TriggerChanges(enabled=False), TriggerChanges(cron="30 6 * * 1-5"))
VerifyRequest.examples = (
    VerifyRequest(kind=VerifyKind.GITHUB, secret="GITHUB_SECRET"),  # noqa: S106
)
