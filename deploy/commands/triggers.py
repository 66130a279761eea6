"""`headrace trigger`: schedules and inbound webhooks that start runs."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from deploy.client.api import Answer
from deploy.client.inputs import read_json_text
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.client.triggers.caller import TriggerCaller
from deploy.client.triggers.settings import SCHEDULE, TriggerOptions, trigger_body
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.problems import CommandFailed
from deploy.output.tables import show

COLUMNS = ("id", "name", "workflowSlug", "starts", "enabled", "nextAt", "lastOccurrence")
OCCURRENCE_COLUMNS = ("id", "at", "status", "reason", "executionId")
STATUSES = ("started", "skipped", "failed", "missed")
VERIFY_KINDS = ("none", "bearer", "hmac", "github", "stripe", "slack", "standard-webhooks")
T = TypeVar("T")

trigger_id = click.argument("trigger_id", metavar="ID")


@click.group()
def trigger() -> None:
    """Run workflows on schedules and for events of services."""


@trigger.command("list")
@click.option("--workflow", "slug", metavar="SLUG", help="Only those of this workflow.")
@access
@options.as_json
def list_(slug: str | None, access: Access, as_json: bool) -> None:
    """List the triggers of an account, newest first."""
    rows = _with_triggers(access, lambda caller: caller.triggers(slug))
    show([_shown(each) for each in rows] if not as_json else rows, as_json=as_json, columns=COLUMNS)


@trigger.command("show")
@trigger_id
@access
@options.as_json
def show_(trigger_id: str, access: Access, as_json: bool) -> None:
    """Show a trigger; an inbound webhook with its URL."""
    _show_one(_with_triggers(access, lambda caller: caller.trigger(trigger_id)), as_json=as_json)


def _settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `TriggerOptions` but for the slug."""
    own: list[Callable[..., Any]] = [
        click.option("--name", metavar="TEXT", help="Its name.  [default: SLUG]"),
        click.option("--version", type=click.IntRange(1), help="Run this version, not the live."),
        click.option("--max-credits", type=click.IntRange(0), help="Most credits of one run."),
        click.option("--disabled", is_flag=True, help="Create it paused."),
        click.option(
            *("-i", "--input", "inputs"),
            multiple=True,
            metavar="NAME=VALUE",
            help="An input: of a schedule as for `headrace run`, of an inbound webhook a CEL "
            "expression over body, headers, query and method.  May be repeated.",
        ),
        click.option("--webhook", metavar="URL", help="Be told there of the end of each run."),
        click.option("--webhook-secret", metavar="S", help="The secret that signs these."),
        options.webhook_events("--webhook-event"),
        click.option("--cron", metavar="CRON", help="Makes a schedule: five fields, or @daily."),
        click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin.  [default: UTC]"),
        click.option("--overlap", type=click.Choice(("allow", "skip")), help="While one runs."),
        click.option("--missed", type=click.Choice(("skip", "last", "all")), help="Missed times."),
        click.option(
            "--verify",
            type=click.Choice(VERIFY_KINDS),
            help="Makes an inbound webhook, which verifies events in this way.",
        ),
        click.option("--secret", metavar="NAME", help="The secret of the account for --verify."),
        click.option("--header", metavar="H", help="The header of the signature; hmac only."),
        click.option("--prefix", metavar="TEXT", help="Text before the signature; hmac only."),
        click.option("--encoding", type=click.Choice(("hex", "base64")), help="hmac only."),
        click.option("--when", metavar="CEL", help="Run only where this is true."),
        click.option("--event-id", metavar="CEL", help="Two events of one id are one run."),
        click.option(
            "--respond", type=click.Choice(("accepted", "result")), help="What senders get."
        ),
    ]
    for option in reversed(own):
        command = option(command)
    return command


@trigger.command()
@click.argument("slug")
@_settings
@access
@options.as_json
def create(slug: str, access: Access, as_json: bool, **settings: Any) -> None:
    """Create a trigger of the workflow SLUG.

    --cron makes a schedule. --verify makes an inbound webhook; with `none` everybody who knows its
    URL can start runs.
    """
    order = TriggerOptions(slug=slug, **settings)

    async def work(caller: TriggerCaller) -> Answer:
        return await caller.create(await trigger_body(order, caller.workflows))

    _show_one(_with_triggers(access, work), as_json=as_json)


@trigger.command()
@trigger_id
@access
@options.as_json
def pause(trigger_id: str, access: Access, as_json: bool) -> None:
    """Pause a trigger: no due time and no event starts a run."""
    _enable(trigger_id, access, enabled=False, as_json=as_json)


@trigger.command()
@trigger_id
@access
@options.as_json
def resume(trigger_id: str, access: Access, as_json: bool) -> None:
    """Let a paused trigger go on.

    Due times that passed meanwhile are not made up for.
    """
    _enable(trigger_id, access, enabled=True, as_json=as_json)


def _enable(trigger_id: str, access: Access, *, enabled: bool, as_json: bool) -> None:
    changed = _with_triggers(access, lambda caller: caller.enable(trigger_id, enabled=enabled))
    _show_one(changed, as_json=as_json)


@trigger.command()
@trigger_id
@access
@options.as_json
def run(trigger_id: str, access: Access, as_json: bool) -> None:
    """Start a run of a schedule now, whenever it is due."""
    begun = _with_triggers(access, lambda caller: caller.run(trigger_id))
    show(begun, as_json=as_json, columns=("occurrenceId", "executionId"))


@trigger.command()
@trigger_id
@access
@options.as_json
def rotate(trigger_id: str, access: Access, as_json: bool) -> None:
    """Give an inbound webhook a new URL.

    The old one is unknown at once.
    """
    _show_one(_with_triggers(access, lambda caller: caller.rotate(trigger_id)), as_json=as_json)


@trigger.command()
@trigger_id
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    *("-H", "--header", "headers"),
    multiple=True,
    metavar="NAME=VALUE",
    help="A header of the event.  May be repeated.",
)
@access
@options.as_json
def test(
    trigger_id: str, file: Any, headers: tuple[str, ...], access: Access, as_json: bool
) -> None:
    """Try FILE, the JSON of an event, without a run.

    Shows whether a run of the inbound webhook would start, and with which inputs.

    `-` reads the event from standard input. Exits with 1 when no run would start.
    """
    try:
        body = read_json_text(file.read())
    except ValueError as error:
        raise CommandFailed(f"{Path(file.name).name} is not JSON: {error}.") from None
    pairs = (header.partition("=")[::2] for header in headers)
    event = {"body": body, "headers": dict(pairs)}
    seen = _with_triggers(access, lambda caller: caller.test(trigger_id, event))
    problems = "; ".join(f"{each['field']}: {each['reason']}" for each in seen["problems"])
    row = seen if as_json else {**seen, "problems": problems or None}
    show(row, as_json=as_json, columns=("wouldRun", "inputs", "problems"))
    sys.exit(0 if seen["wouldRun"] else 1)


@trigger.command()
@trigger_id
@access
def delete(trigger_id: str, access: Access) -> None:
    """Delete a trigger; runs that it has started go on."""
    _with_triggers(access, lambda caller: caller.delete(trigger_id))


@trigger.command()
@trigger_id
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def occurrences(
    trigger_id: str, status: str | None, limit: int, access: Access, as_json: bool
) -> None:
    """List due times or events of a trigger, newest first, and their outcomes."""
    rows = _with_triggers(access, lambda caller: caller.occurrences(trigger_id, status, limit))
    show(rows, as_json=as_json, columns=OCCURRENCE_COLUMNS)


@trigger.command()
@click.argument("cron")
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE")
@click.option("--count", type=click.IntRange(1, 100), default=5, show_default=True)
@access
@options.as_json
def preview(cron: str, timezone: str, count: int, access: Access, as_json: bool) -> None:
    """Show the next due times of CRON, such as '0 7 * * 1-5'."""
    seen = _with_triggers(access, lambda caller: caller.preview(cron, timezone, count))
    rows = [{"at": at, "local": _local(at, timezone)} for at in seen["at"]]
    show(seen if as_json else rows, as_json=as_json, columns=("at", "local"))


def _local(at: str, timezone: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(ZoneInfo(timezone)):%a %Y-%m-%d %H:%M %z}"


def _show_one(trigger: Answer, *, as_json: bool) -> None:
    """Print a trigger, and below the table the URL of an inbound webhook."""
    show(trigger if as_json else _shown(trigger), as_json=as_json, columns=COLUMNS)
    if not as_json and trigger.get("url"):
        print(f"\n{trigger['url']}")


def _shown(trigger: Answer) -> Answer:
    """Return a trigger as a row of a table."""
    is_schedule = trigger["kind"] == SCHEDULE
    starts = (
        f"{trigger['cron']} {trigger['timezone']}"
        if is_schedule
        else f"webhook {trigger['verify']['kind']}"
    )
    last = trigger["lastOccurrence"]
    outcome = last and " ".join(filter(None, (last["at"], last["status"], last["reason"])))
    return {**trigger, "starts": starts, "lastOccurrence": outcome}


def _with_triggers(access: Access, work: Callable[[TriggerCaller], Awaitable[T]]) -> T:
    async def call() -> T:
        async with open_api(access) as api:
            return await work(TriggerCaller(api))

    return asyncio.run(call())
