"""Drafts in the editor and on the server."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import pick
from tests.support.e2e.workflows import greeting

UNAVOIDABLE = (
    "net::ERR_",
    "412 (Precondition Failed)",
    "409 (Conflict)",
    "429 (Too Many Requests)",
)
"""Messages of Chromium's own about answers that a test provokes."""


def create(stack: RunningStack, name: str, **members: Any) -> str:
    """Publish a workflow that greets; return its slug."""
    _, created = stack.api("POST", "/api/workflows", greeting(name, **members))
    return str(created["slug"])


def text_field(page: Page, node: str = "text") -> Locator:
    """Choose a text box and return its field."""
    pick(page, node)
    return page.get_by_role("region", name="Settings").get_by_label("Text", exact=True)


def expect_saved(page: Page) -> None:
    """Wait until a revision is saved."""
    expect(page.get_by_title("Revision")).to_have_text("Saved")


def state(page: Page) -> Locator:
    """Return the badge with the state of the workflow."""
    return page.get_by_role("status", name="State of the workflow")


def draft(stack: RunningStack, slug: str) -> dict[str, Any]:
    """Return the draft that the server has."""
    status, found = stack.api("GET", f"/api/workflows/{slug}/draft")
    assert status == 200, found
    return dict(found)


def text_of(document: dict[str, Any], node: str = "text") -> str:
    """Return the text of a text box in a document."""
    (found,) = [each for each in document["nodes"] if each["id"] == node]
    return str(found["data"]["text"])


def write(stack: RunningStack, slug: str, document: dict[str, Any]) -> None:
    """Write the draft as somebody else would."""
    status, answer = stack.api("PUT", f"/api/workflows/{slug}/draft", document)
    assert status == 200, answer


def with_text(text: str, name: str, **members: Any) -> dict[str, Any]:
    """Return the workflow that greets with another text."""
    document = greeting(name, **members)
    document["nodes"][1]["data"]["text"] = text
    return document


def forget(complaints: list[str]) -> None:
    """Drop what Chromium itself has said about answers that the test provoked."""
    complaints[:] = [each for each in complaints if not any(word in each for word in UNAVOIDABLE)]
