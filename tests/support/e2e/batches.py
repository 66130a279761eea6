"""Batches in tests of the pages."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack

PASTE = """(cell, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const options = {bubbles: true, cancelable: true, clipboardData: data};
  cell.dispatchEvent(new ClipboardEvent("paste", options));
}"""
"""Paste cells, as the browser would tell of it."""


def start(stack: RunningStack, slug: str, names: Sequence[str], **members: Any) -> str:
    """Begin a batch of greetings by the API; return its id."""
    items = [{"inputs": {"name": name}} for name in names]
    path = f"/api/workflows/{slug}/batch"
    status, answer = stack.api("POST", path, {"items": items, **members})
    assert status == 202, answer
    return str(answer["batchId"])


def open_table(page: Page, slug: str) -> None:
    """Open the table of rows in the playground of a workflow."""
    page.goto(f"/app/playground/{slug}")
    page.get_by_role("tab", name="Run many").click()
    page.get_by_role("table", name="Rows").wait_for()


def cell(page: Page, column: str, row: int) -> Locator:
    """Return the control of a cell; rows count from 1."""
    return page.get_by_label(f"{column}, row {row}", exact=True)


def paste(page: Page, column: str, row: int, text: str) -> None:
    """Paste text into a cell."""
    cell(page, column, row).evaluate(PASTE, text)


def started(page: Page) -> str:
    """Begin the batch of the table; return its id once its page is shown."""
    page.get_by_role("button", name="Start batch").click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    return page.url.rpartition("/")[2]
