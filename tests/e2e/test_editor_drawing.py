"""Drawing on the canvas with a pointer."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow of its own: a form, a text and a result."""
    _, created = stack.api("POST", "/api/workflows", greeting("To draw"))
    return str(created["slug"])


def open_editor(page: Page, slug: str) -> None:
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("article", name="Response Output result").wait_for()


def test_a_node_dragged_from_the_sidebar_is_wired_and_saved(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    canvas = page.get_by_role("region", name="Canvas")

    page.get_by_role("complementary").get_by_role("button", name="List").drag_to(
        canvas, target_position={"x": 400, "y": 120}
    )
    node = page.get_by_role("article", name="List list")
    text = page.get_by_role("article", name="Text Box text")
    text.get_by_label("output, text-out").drag_to(node.get_by_label("input, items-in"))
    expect(page.get_by_title("Revision")).to_have_text("Saved")

    _, draft = stack.api("GET", f"/api/workflows/{slug}/draft")
    assert "list" in [each["id"] for each in draft["nodes"]]
    assert any(each["targetHandle"] == "items-in" for each in draft["edges"])
