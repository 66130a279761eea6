"""Triggers in tests of the pages."""

from typing import Any

from playwright.sync_api import Locator, Page

from tests.support.acceptance.running_stack import RunningStack

NEVER = "0 0 29 2 *"
"""A schedule that is not due while tests run."""


def set_schedule(
    stack: RunningStack, name: str, slug: str, key: str | None = None, **members: Any
) -> str:
    """Create a schedule by the API, with the key of the demonstration by default; return its id."""
    body = {"kind": "schedule", "name": name, "workflowSlug": slug, "cron": NEVER, **members}
    status, answer = stack.api("POST", "/api/triggers", body, key=key or stack.key)
    assert status == 201, answer
    return str(answer["id"])


def occurrences(stack: RunningStack, trigger_id: str) -> list[dict[str, Any]]:
    """Return the newest occurrences of a trigger, as the API lists them."""
    status, answer = stack.api("GET", f"/api/triggers/{trigger_id}/occurrences")
    assert status == 200, answer
    rows: list[dict[str, Any]] = answer["rows"]
    return rows


def open_schedule_form(page: Page, slug: str) -> Locator:
    """Open the form of a new schedule of a workflow."""
    page.goto(f"/app/triggers?new=schedule&workflow={slug}")
    form = page.get_by_role("form", name="Schedule")
    form.get_by_label("Cron expression").wait_for()
    return form
