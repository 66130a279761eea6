"""Cards of shipped workflows: with and without a run they keep their places, sizes and sockets."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import card, open_editor
from tests.support.e2e.geometry import LARGE, faults, places, zoom_to
from tests.support.e2e.workflows import asking

pytestmark = pytest.mark.slow
ZOOMS = (1, 0.5, 0.3)
SHIPPED = sorted(
    json.loads(path.read_text())["name"]
    for path in (Path(__file__).parents[4] / "examples").rglob("*.json")
)


@pytest.fixture
def wide(make_page: MakePage, signed_in: Path) -> Page:
    return make_page(signed_in, viewport=LARGE, reduced_motion="reduce")


def run(page: Page) -> None:
    """Run the draft until it ends or waits, whether or not it fails for want of a host."""
    page.keyboard.press("Control+Enter")
    ended = re.compile("credit|waits for an answer")
    expect(page.get_by_role("status", name="Run")).to_contain_text(ended)


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_covers_cards_and_sockets_of_a_shipped_workflow(
    wide: Page, stack: RunningStack, name: str
) -> None:
    _, workflows = stack.api("GET", "/api/workflows")
    # Slugs of copies are longer.
    slug = min((each["slug"] for each in workflows if each["name"] == name), key=len)
    open_editor(wide, slug)
    # The estimate comes with the sockets.
    expect(wide.get_by_title("Estimate of one run of the draft")).to_be_visible()
    wide.wait_for_function("() => document.querySelector('.react-flow__edge')")
    assert faults(wide) == []
    before = places(wide)

    run(wide)

    for zoom in ZOOMS:
        wide.get_by_role("button", name="Fit View").click()
        zoom_to(wide, zoom)
        assert (zoom, faults(wide)) == (zoom, [])
        assert places(wide) == before


def test_a_result_is_a_strip_with_one_thumbnail_and_from_afar_a_sign(
    page: Page, stack: RunningStack
) -> None:
    prompt = "A kettle"
    _, created = stack.api(
        "POST", "/api/workflows", asking("Strip", "painter", "image-out", prompt)
    )
    open_editor(page, created["slug"])
    run(page)

    node = card(page, "model")
    expect(node.get_by_role("img", name="Output")).to_have_count(1)
    expect(node).to_contain_text("1 image")
    expect(card(page, "result").get_by_role("img", name="Output")).to_be_visible()
    expect(card(page, "form")).to_contain_text(prompt)

    zoom_to(page, 0.3)
    expect(node.get_by_role("img", name="Output")).to_be_hidden()
    expect(node.locator(".status-icon")).to_be_visible()
    box = node.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("region", name="Settings")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
