"""Pictures of the first page of the documentation; with PICTURES=FOLDER they are taken."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED
from tests.support.e2e.editor import cards

pytestmark = pytest.mark.slow
SIZE = {"width": 1280, "height": 720}
MOST_BYTES = 80_000
THEMES = ("light", "dark")


@pytest.fixture(params=THEMES)
def page(request: pytest.FixtureRequest, make_page: MakePage, signed_in: Path) -> Page:
    page = make_page(signed_in, viewport=SIZE, reduced_motion="reduce", color_scheme=request.param)
    page.add_init_script("localStorage.setItem('headrace-tour', 'taken')")
    return page


def keep(page: Page, name: str) -> None:
    """Take a picture that loads fast, into the folder of pictures if one is named."""
    page.evaluate(SETTLED)
    page.wait_for_timeout(400)  # until transitions are over
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    taken = BytesIO()
    Image.open(BytesIO(page.screenshot())).save(taken, "webp", quality=80, method=6)
    assert len(taken.getvalue()) < MOST_BYTES
    if folder := os.environ.get("PICTURES"):
        path = Path(folder) / f"readme-{name}-{'dark' if is_dark else 'light'}.webp"
        path.write_bytes(taken.getvalue())


def test_the_editor_after_a_run(page: Page) -> None:
    page.goto("/app/editor/product-pictures")
    cards(page).last.wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_role("button", name="Run the draft").click()
    expect(panel.get_by_role("region", name="Result").get_by_role("img").first).to_be_visible()
    panel.get_by_role("button", name="Fold away").click()

    expect(page.get_by_role("button", name="Show the run")).to_contain_text("Completed")
    expect(page.locator(".react-flow__node[data-status=completed]")).to_have_count(7)
    keep(page, "editor")


def test_the_waterfall_of_a_run(page: Page, stack: RunningStack) -> None:
    body = {"inputs": {"product": "Blue steel kettle, 1.7 litres"}}
    status, answer = stack.api("POST", "/api/workflows/product-pictures/run", body)
    assert status == 200, answer

    page.goto(f"/app/executions/{answer['executionId']}")

    page.get_by_role("button", name="pictures completed").click()
    expect(page.get_by_role("region", name="Output").get_by_role("img").first).to_be_visible()
    keep(page, "waterfall")
