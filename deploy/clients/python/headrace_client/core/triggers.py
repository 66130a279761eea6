"""Flows of triggers: create, change, list, run, test, occurrences, preview."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from headrace_client.core.decoding import camel, decode
from headrace_client.core.effects import Flow, Request
from headrace_client.core.pages import iterate_pages, query_of
from headrace_client.core.session import Session, json_request
from headrace_client.models import EventTest, Occurrence, StartedOccurrence, Trigger
from headrace_client.options import HookOptions, ScheduleOptions, TriggerChanges

PATH = "/api/triggers"
NAMES = {"max_credits": "max_credits"}
"""Members whose name in the API is not the camel case of their option."""


def _path(trigger_id: str, *rest: str) -> str:
    return "/".join((PATH, *(quote(each, safe="") for each in (trigger_id, *rest))))


def _body(options: Mapping[str, Any]) -> dict[str, Any]:
    return {NAMES.get(name, camel(name)): value for name, value in options.items()}


def create_schedule(
    session: Session, slug: str, name: str, cron: str, options: ScheduleOptions
) -> Flow[Trigger]:
    """Make a schedule. It is sent once: a repeated call would make another one."""
    return _create(
        session, {"kind": "schedule", "name": name, "workflow_slug": slug, "cron": cron}, options
    )


def create_hook(
    session: Session, slug: str, name: str, verify: Mapping[str, Any], options: HookOptions
) -> Flow[Trigger]:
    """Make an inbound webhook. It is sent once: a repeated call would make another one."""
    return _create(
        session,
        {"kind": "webhook", "name": name, "workflow_slug": slug, "verify": dict(verify)},
        options,
    )


def _create(
    session: Session, members: Mapping[str, Any], options: Mapping[str, Any]
) -> Flow[Trigger]:
    request = json_request(PATH, _body({**members, **options}))
    return decode(
        Trigger, (yield from session.fetch(request, session.deadline(), is_repeatable=False))
    )


def get_trigger(session: Session, trigger_id: str) -> Flow[Trigger]:
    """Return a trigger with its last occurrence."""
    request = Request(method="GET", path=_path(trigger_id))
    return decode(Trigger, (yield from session.fetch(request, session.deadline())))


def change_trigger(session: Session, trigger_id: str, changes: TriggerChanges) -> Flow[Trigger]:
    """Change a trigger; what is left out stays, None takes an optional member away."""
    request = replace(json_request(_path(trigger_id), _body(changes)), method="PATCH")
    return decode(Trigger, (yield from session.fetch(request, session.deadline())))


def delete_trigger(session: Session, trigger_id: str) -> Flow[None]:
    """Delete a trigger."""
    request = Request(method="DELETE", path=_path(trigger_id))
    yield from session.send(request, session.deadline())


def list_triggers(
    session: Session, kind: str | None, workflow_slug: str | None, limit: int | None
) -> Flow[None]:
    """Emit triggers, newest first."""
    query = query_of({"kind": kind, "workflow_slug": workflow_slug, "limit": limit})
    return iterate_pages(session, Trigger, PATH, query)


def run_trigger(session: Session, trigger_id: str) -> Flow[StartedOccurrence]:
    """Start a run of a schedule now. It is sent once: a repeated call would start another one."""
    members = yield from session.fetch(
        json_request(_path(trigger_id, "run")),
        session.deadline(),
        is_repeatable=False,
    )
    return decode(StartedOccurrence, members)


def rotate_trigger(session: Session, trigger_id: str) -> Flow[Trigger]:
    """Give an inbound webhook another URL."""
    request = json_request(_path(trigger_id, "rotate"))
    return decode(Trigger, (yield from session.fetch(request, session.deadline())))


def try_event(
    session: Session, trigger_id: str, body: Any, headers: Mapping[str, str] | None
) -> Flow[EventTest]:
    """Return the run that an event would start."""
    members = {"body": body, "headers": dict(headers or {})}
    request = json_request(_path(trigger_id, "test"), members)
    return decode(EventTest, (yield from session.fetch(request, session.deadline())))


def list_occurrences(
    session: Session, trigger_id: str, status: str | None, limit: int | None
) -> Flow[None]:
    """Emit the occurrences of a trigger, newest first."""
    query = query_of({"status": status, "limit": limit})
    return iterate_pages(session, Occurrence, _path(trigger_id, "occurrences"), query)


def get_occurrence(session: Session, trigger_id: str, occurrence_id: str) -> Flow[Occurrence]:
    """Return an occurrence, with its event while that is kept."""
    request = Request(method="GET", path=_path(trigger_id, "occurrences", occurrence_id))
    return decode(Occurrence, (yield from session.fetch(request, session.deadline())))


def preview(session: Session, cron: str, timezone: str, count: int) -> Flow[tuple[datetime, ...]]:
    """Return the next due times of a cron expression."""
    body = {"cron": cron, "timezone": timezone, "count": count}
    members = yield from session.fetch(json_request(f"{PATH}/preview", body), session.deadline())
    return tuple(datetime.fromisoformat(each) for each in members["at"])
