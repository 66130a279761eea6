"""Triggers of an installation under test."""

from typing import Any

import httpx2

from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.contract.shapes import (
    assert_fits,
    moment,
    moment_or_null,
    sentence,
    text_or_null,
    uuid,
)
from tests.support.gateway.documents import edge, node

PATH = "/api/triggers"
SECRET = "a secret of 32 characters, or so"
NEVER = "0 0 29 2 *"
"""A cron expression whose time does not come while tests run."""
OCCURRENCE: dict[str, Any] = {
    "id": uuid,
    "at": moment,
    "status": str,
    "reason": text_or_null,
    "executionId": lambda value: value is None or uuid(value),
    "count?": int,
}
COMMON: dict[str, Any] = {
    "id": str,
    "kind": str,
    "name": str,
    "workflowSlug": str,
    "version?": int,
    "enabled": bool,
    "max_credits?": int,
    "webhook?": {"url": str, "events?": [str]},
    "createdBy": text_or_null,
    "createdAt": moment,
    "updatedAt": moment,
    "lastOccurrence": lambda value: value is None or value.keys() >= {"id", "at", "status"},
}
SCHEDULE: dict[str, Any] = {
    **COMMON,
    "cron": str,
    "timezone": str,
    "inputs": dict,
    "overlap": str,
    "missed": str,
    "nextAt": moment_or_null,
}
HOOK: dict[str, Any] = {
    **COMMON,
    "url": str,
    "verify": {"kind": str, "secret?": str, "header?": str, "prefix?": str, "encoding?": str},
    "when?": str,
    "inputs?": dict,
    "eventId?": str,
    "respond": str,
}


def greeting() -> dict[str, Any]:
    """Return a workflow that greets the required `name`, with an optional `mark`."""
    nodes = [
        form(field("name", "text", required=True), field("mark", "text", default="!")),
        node("text", "textBox", text="Hello {{ name }}{{ mark }}"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "name", "text", "name"),
        edge("in", "mark", "text", "mark"),
        edge("text", "text-out", "out", "result-in"),
    ]
    return workflow(nodes, edges)


def schedule(slug: str, **members: Any) -> dict[str, Any]:
    """Return the body of a schedule that is not due."""
    body = {"kind": "schedule", "name": "Yearly", "workflowSlug": slug, "cron": NEVER}
    return {**body, "inputs": {"name": "Ada"}, **members}


def hook(slug: str, **members: Any) -> dict[str, Any]:
    """Return the body of an inbound webhook that anyone may call."""
    body = {"kind": "webhook", "name": "Events", "workflowSlug": slug}
    return {**body, "verify": {"kind": "none"}, **members}


def make(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """Make a trigger; return it."""
    answer = caller.post(PATH, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def at(trigger: dict[str, Any], rest: str = "") -> str:
    """Return the path of a trigger, or one below it."""
    return f"{PATH}/{trigger['id']}{rest}"


def invalid(answer: httpx2.Response, name: str) -> str:
    """Check that a trigger's setting was refused; return the reason."""
    assert answer.status_code == 400, answer.text
    body = {"error": sentence, "code": "INVALID_TRIGGER", "field": name, "reason": sentence}
    assert_fits(answer.json(), body)
    return str(answer.json()["reason"])


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check that a call was refused; return the body."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body
