"""Triggers: they start runs of a workflow, at due times or at events from outside.

Times are in milliseconds since the epoch.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from engine.triggers.occurrences import Occurrence

MOST_TRIGGERS = 100
"""Most triggers of an account."""
MOST_SETTINGS_BYTES = 65_536
"""Largest packed settings of a trigger."""


class TriggerKind(StrEnum):
    """Kind of a trigger."""

    SCHEDULE = "schedule"
    WEBHOOK = "webhook"


class Overlap(StrEnum):
    """Whether a due time starts a run while the last one goes on."""

    ALLOW = "allow"
    SKIP = "skip"


class Missed(StrEnum):
    """Due times to start of those that passed while nothing could run."""

    SKIP = "skip"
    """None."""
    LAST = "last"
    ALL = "all"
    """The newest 100."""


class VerifyKind(StrEnum):
    """Signature by which an inbound webhook verifies its sender."""

    NONE = "none"
    BEARER = "bearer"
    HMAC = "hmac"
    GITHUB = "github"
    STRIPE = "stripe"
    SLACK = "slack"
    STANDARD_WEBHOOKS = "standard-webhooks"


class SignatureEncoding(StrEnum):
    """Encoding of a signature in its header."""

    HEX = "hex"
    BASE64 = "base64"


class Respond(StrEnum):
    """Answer to an event: at its acceptance, or at the end of its run."""

    ACCEPTED = "accepted"
    RESULT = "result"


class ScheduleSettings(Struct, frozen=True, kw_only=True):
    """Due times of a schedule, the inputs of its runs, and its policies."""

    cron: str
    timezone: str = "UTC"
    inputs: Mapping[str, Any] = {}
    overlap: Overlap = Overlap.ALLOW
    missed: Missed = Missed.LAST


class Verify(Struct, frozen=True, kw_only=True):
    """Verification of the sender of events."""

    kind: VerifyKind = VerifyKind.NONE
    secret: str = ""
    """Name of a secret of the account; empty for the kind `none`."""
    header: str = ""
    """Header with the signature, for the kind `hmac`."""
    prefix: str = ""
    """Text before the signature in that header."""
    encoding: SignatureEncoding = SignatureEncoding.HEX


class HookSettings(Struct, frozen=True, kw_only=True):
    """Settings of an inbound webhook. Its conditions and values are CEL."""

    verify: Verify = Verify()
    when: str = ""
    """Condition for a run; empty: always."""
    inputs: Mapping[str, str] | None = None
    """CEL by input field; None: the body is the inputs, if it is an object."""
    event_id: str = ""
    """CEL of the event's id; empty: the usual headers and members."""
    respond: Respond = Respond.ACCEPTED


class TriggerWebhook(Struct, frozen=True, kw_only=True):
    """Outbound webhook that is told of the runs of a trigger."""

    url: str
    events: Sequence[str] | None = None
    """Events that it asks for; None: the three ends."""
    sealed_secret: bytes = b""
    """Secret sealed to the trigger; see `Triggers.open_webhook`."""
    may_approve: bool = False
    """Whether its setter may answer approvals: it gets their links then."""


class TriggerSettings(Struct, frozen=True, kw_only=True):
    """Settings of a trigger; those of its kind stand in `schedule` or in `hook`."""

    name: str
    slug: str
    """Slug of the workflow that it runs."""
    version: int | None = None
    """Version of the workflow; None: the live one."""
    max_credits: int | None = None
    """Most credits that each run may spend."""
    webhook: TriggerWebhook | None = None
    schedule: ScheduleSettings | None = None
    hook: HookSettings | None = None

    @property
    def kind(self) -> TriggerKind:
        """Kind of the trigger."""
        return TriggerKind.WEBHOOK if self.schedule is None else TriggerKind.SCHEDULE

    @property
    def due_times(self) -> tuple[str, str] | None:
        """Cron expression and time zone, on which due times depend; None without."""
        return None if self.schedule is None else (self.schedule.cron, self.schedule.timezone)

    @property
    def secret_name(self) -> str:
        """Name of the secret that verifies events; empty for none."""
        return "" if self.hook is None else self.hook.verify.secret


class Trigger(Struct, frozen=True, kw_only=True):
    """A trigger of an account."""

    id: str
    account_id: str
    kind: TriggerKind
    settings: TriggerSettings
    enabled: bool
    created_by: str
    """Id of the API key that made it; empty for a session."""
    created_at: int
    updated_at: int
    revision: int
    """Number of its saves, from 1; a save needs the one that it was read with."""
    since: int
    """Time from which on it has due times: that of its last save or enabling."""
    next_at: int | None = None
    """Next due time of a schedule; None while disabled, or without a further one."""
    held: int | None = None
    """Due time that waits for the rate window of the account, or for the store."""
    token: str | None = None
    """Token of an inbound webhook; None where this process cannot unseal it."""
    last: Occurrence | None = None
    """Newest occurrence."""
    last_run: str | None = None
    """Execution of the last occurrence that started."""
    skipped: int = 0
    """Number of all skipped events."""
