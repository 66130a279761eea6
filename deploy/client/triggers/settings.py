"""Settings of a new trigger, from the options of a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from deploy.client.callers import WorkflowCaller
from deploy.client.inputs import parse_inputs, upload_files
from deploy.output.problems import CommandFailed

SCHEDULE, HOOK = "schedule", "webhook"
"""Kinds of triggers, as the API names them."""
OF_SCHEDULES = ("timezone", "overlap", "missed")
OF_HOOKS = ("secret", "header", "prefix", "encoding", "when", "event_id", "respond")
VERIFICATION = ("secret", "header", "prefix", "encoding")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerOptions:
    """Options of `headrace trigger create`; those that are left out are None."""

    slug: str
    name: str | None = None
    version: int | None = None
    max_credits: int | None = None
    disabled: bool = False
    inputs: Sequence[str] = ()
    webhook: str | None = None
    webhook_secret: str | None = None
    events: Sequence[str] = ()
    cron: str | None = None
    timezone: str | None = None
    overlap: str | None = None
    missed: str | None = None
    verify: str | None = None
    secret: str | None = None
    header: str | None = None
    prefix: str | None = None
    encoding: str | None = None
    when: str | None = None
    event_id: str | None = None
    respond: str | None = None

    def __post_init__(self) -> None:
        if (self.cron is None) is (self.verify is None):
            raise click.UsageError(
                "Name one of --cron, which makes a schedule, and --verify, which makes an "
                "inbound webhook."
            )
        foreign, own = (OF_HOOKS, "--verify") if self.cron is not None else (OF_SCHEDULES, "--cron")
        for name in foreign:
            if getattr(self, name) is not None:
                raise click.UsageError(f"--{name.replace('_', '-')} needs {own}.")
        if self.webhook_secret is not None and self.webhook is None:
            raise click.UsageError("--webhook-secret needs --webhook.")
        if self.events and self.webhook is None:
            raise click.UsageError("--webhook-event needs --webhook.")


async def trigger_body(options: TriggerOptions, caller: WorkflowCaller) -> dict[str, Any]:
    """Return the body that creates the trigger; files of inputs are uploaded.

    Raises CommandFailed for an input that cannot be read.
    """
    common = {
        "name": options.name or options.slug,
        "workflowSlug": options.slug,
        "version": options.version,
        "max_credits": options.max_credits,
        "enabled": False if options.disabled else None,
        "webhook": _webhook(options),
    }
    if options.cron is None:
        return _given({"kind": HOOK, **common, **_hook_members(options)})
    return _given({"kind": SCHEDULE, **common, **await _schedule_members(options, caller)})


def _webhook(options: TriggerOptions) -> dict[str, Any] | None:
    members = {"url": options.webhook, "secret": options.webhook_secret}
    return _given({**members, "events": [*options.events] or None}) or None


async def _schedule_members(options: TriggerOptions, caller: WorkflowCaller) -> dict[str, Any]:
    inputs: Mapping[str, Any] = {}
    if options.inputs:
        types = await caller.field_types(options.slug)
        inputs = await upload_files(parse_inputs(options.inputs, types), caller.upload)
    return {
        "cron": options.cron,
        "timezone": options.timezone,
        "inputs": inputs,
        "overlap": options.overlap,
        "missed": options.missed,
    }


def _hook_members(options: TriggerOptions) -> dict[str, Any]:
    settings = {name: getattr(options, name) for name in VERIFICATION}
    return {
        "verify": {"kind": options.verify, **_given(settings)},
        "when": options.when,
        "inputs": dict(_expression(word) for word in options.inputs) or None,
        "eventId": options.event_id,
        "respond": options.respond,
    }


def _expression(word: str) -> tuple[str, str]:
    name, sign, expression = word.partition("=")
    if not sign or not name or name.endswith(":"):
        raise CommandFailed(
            f"'{word}' is no input of an inbound webhook: write NAME=EXPRESSION, such as "
            "title=body.issue.title."
        )
    return name, expression


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
