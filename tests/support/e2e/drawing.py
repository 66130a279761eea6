"""Steps of people who draw a workflow with the pointer."""

from playwright.sync_api import Locator, Page, expect

from tests.support.e2e.editor import drag, middle, socket


def add(page: Page, label: str, spot: tuple[float, float]) -> Locator:
    """Drag a node from the sidebar to a place of the canvas; return its settings."""
    page.get_by_role("complementary", name="Nodes").get_by_role(
        "button", name=label, exact=True
    ).drag_to(
        page.get_by_role("region", name="Canvas"), target_position={"x": spot[0], "y": spot[1]}
    )
    panel = page.get_by_role("region", name="Settings")
    expect(panel.get_by_role("heading", level=2)).to_contain_text(label)
    return panel


def settle(page: Page) -> None:
    """Wait until the view of the canvas has come to rest."""
    seen = ""
    while seen != (seen := str(page.locator(".react-flow__viewport").get_attribute("style"))):
        page.wait_for_timeout(300)


def wire(page: Page, source: str, output: str, target: str, into: str) -> None:
    """Draw a wire with the pointer."""
    socket(page, source, output).wait_for()
    socket(page, target, into).wait_for()
    drag(page, middle(socket(page, source, output)), middle(socket(page, target, into)))


def begin_empty_workflow(page: Page, sign_in_link: str, name: str) -> None:
    """Sign in, make a workflow with an empty canvas, and decline the tour."""
    page.goto(sign_in_link)
    page.get_by_role("button", name="New workflow").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("radio", name="An empty canvas").check()
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("button", name="No, thanks").click()
