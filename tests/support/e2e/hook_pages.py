"""Pages of inbound webhooks, shown for rules that hold on every page."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.support.acceptance.running_stack import RunningStack

SLUG = "product-notes"
NAME = "Orders of the shop"


def prepare_hook(stack: RunningStack) -> None:
    """Make an inbound webhook that starts runs for orders."""
    body = {
        "kind": "webhook",
        "name": NAME,
        "workflowSlug": SLUG,
        "verify": {"kind": "none"},
        "when": 'body.type == "order.created"',
        "inputs": {"title": "body.data.title"},
    }
    status, answer = stack.api("POST", "/api/triggers", body)
    assert status == 201, answer


def show_new_hook(page: Page) -> None:
    page.goto(f"/app/triggers?new=webhook&workflow={SLUG}")
    page.get_by_text("True for the sample").wait_for()
    page.get_by_role("button", name="Paste a secret").click()
    page.get_by_role("button", name="Save secret").click()
    page.get_by_text("Sample event").click()
    page.get_by_label("Condition").press_sequentially(" && body.issue.")
    page.get_by_role("listbox", name="Values of the sample").wait_for()


def show_connect(page: Page) -> None:
    page.goto("/app/triggers")
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("tab", name="Connect").click()
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("This event would start a run.").wait_for()


def show_hook_settings(page: Page) -> None:
    show_connect(page)
    page.get_by_role("tab", name="Settings").click()
    page.get_by_text("Nothing proves where a request comes from").wait_for()


HOOK_PAGES: dict[str, Callable[[Page], None]] = {
    "new-hook": show_new_hook,
    "hook-connect": show_connect,
    "hook-settings": show_hook_settings,
}
