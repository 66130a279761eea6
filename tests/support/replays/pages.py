"""States of the pages of tests and replays that are checked and pictured as pages are."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import edge, node

if TYPE_CHECKING:
    from playwright.sync_api import Page

SLUG = "order-mail"
LIVE = "Hello {{ name }}, your order of {{ product }} is on its way. Thank you for your patience."
DRAFT = "Dear {{ name }}, your order of {{ product }} is on the way. Thanks for your patience!"
ORDERS = (("Ada", "a mug"), ("Grace", "a vase"), ("Linus", "a lamp"), ("Barbara", "two bowls"))


def order_mail(text: str) -> dict[str, Any]:
    """Return a workflow that writes a mail about an order, longer ones to good customers."""
    fields = [
        {"name": name, "label": name.title(), "type": "text", "required": True}
        for name in ("name", "product")
    ]
    return {
        "name": "Order mail",
        "nodes": [
            node("form", "requestInput", 0, fields=fields),
            node("mail", "textBox", 1, text=text),
            node("result", "responseOutput", 2, fields=[{"name": "mail"}, {"name": "to"}]),
        ],
        "edges": [
            edge("form", "name", "mail", "name"),
            edge("form", "product", "mail", "product"),
            edge("mail", "text-out", "result", "mail"),
            edge("form", "name", "result", "to"),
        ],
    }


def prepare_replays(stack: RunningStack) -> None:
    """Create a workflow with runs, a changed draft, two tests and a replay."""
    stack.api("POST", "/api/workflows", order_mail(LIVE))
    for name, product in ORDERS:
        inputs = {"name": name, "product": product}
        stack.api("POST", f"/api/workflows/{SLUG}/run", {"inputs": inputs})
    tests = {
        "greets-by-name": ['result.mail.startsWith("Hello Ada")', "size(result.mail) < 200"],
        "is-free": ["cost == 0", 'status == "completed"'],
        "names-the-product": ['result.mail.contains("a mug")'],
    }
    for name, expect in tests.items():
        body = {"inputs": {"name": "Ada", "product": "a mug"}, "expect": expect}
        stack.api("PUT", f"/api/workflows/{SLUG}/tests/{name}", body)
    stack.api("PUT", f"/api/workflows/{SLUG}/draft", order_mail(DRAFT))
    stack.api("POST", f"/api/workflows/{SLUG}/replay", {"last": len(ORDERS), "against": "draft"})


def show_tests(page: "Page") -> None:
    page.goto(f"/app/editor/{SLUG}?panel=tests")
    page.get_by_role("button", name="Run all tests").click()
    page.get_by_role("status", name="Test run").get_by_text("2 passed, 1 failed").wait_for()


def show_test(page: "Page") -> None:
    show_tests(page)
    page.get_by_role("button", name="Edit greets-by-name").click()
    page.get_by_text("False for the run").wait_for()


def show_replays(page: "Page") -> None:
    page.goto("/app/replays")
    page.get_by_role("row", name="4 different").wait_for()


def show_replay(page: "Page") -> None:
    show_replays(page)
    page.get_by_role("row", name="4 different").get_by_role("link").click()
    page.get_by_role("button", name="Compare").first.click()
    page.get_by_role("table", name="Differences by value").wait_for()


def show_replay_dialog(page: "Page") -> None:
    page.goto(f"/app/executions?workflowSlug={SLUG}")
    page.get_by_role("button", name="Replay…").click()
    page.get_by_role("radio", name="Chosen ones").check()
    page.get_by_role("checkbox").first.wait_for()
    page.get_by_role("button", name="All 4").click()


REPLAY_PAGES: dict[str, Callable[["Page"], None]] = {
    "editor-tests": show_tests,
    "editor-test": show_test,
    "replays": show_replays,
    "replay": show_replay,
    "new-replay": show_replay_dialog,
}
