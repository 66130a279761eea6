"""The search of every page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
NOBODYS = "00000000-0000-4000-8000-000000000000"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA"
    "DUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def workflow(stack: RunningStack) -> str:
    """Save a workflow and run it; return the id of the execution."""
    stack.api("POST", "/api/workflows", greeting("Sought words"))
    path = "/api/workflows/sought-words/run?timeout=10"
    _, answer = stack.api("POST", path, {"inputs": {"name": "Ada"}})
    return str(answer["executionId"])


def search(page: Page, text: str) -> None:
    """Open the search by the keyboard, and type."""
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Id, slug, name or key").fill(text)


def test_the_start_of_an_id_opens_its_execution(page: Page, workflow: str) -> None:
    page.goto("/app/usage")
    page.get_by_role("heading", level=1).wait_for()

    search(page, workflow[:9])
    expect(page.get_by_role("option").first).to_contain_text("sought-words")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(workflow))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_slug_opens_its_workflow(page: Page) -> None:
    page.goto("/app/settings")
    page.get_by_role("heading", level=1).wait_for()

    search(page, "sought-w")
    page.get_by_role("option", name="Sought words").first.click()

    expect(page).to_have_url(re.compile("/app/editor/sought-words"))


def test_a_pasted_key_finds_its_row_and_is_sent_nowhere(page: Page, stack: RunningStack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    page.goto("/")
    page.get_by_role("heading", level=1).wait_for()

    search(page, stack.key)

    expect(page.get_by_role("option")).to_contain_text("Demo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    assert not [each for each in asked if stack.key in each]


def test_the_id_of_a_request_opens_its_execution(
    page: Page, stack: RunningStack, workflow: str
) -> None:
    _, execution = stack.api("GET", f"/api/executions/{workflow}")
    page.goto("/app/usage")
    page.get_by_role("heading", level=1).wait_for()

    search(page, execution["httpRequestId"])
    found = page.get_by_role("listbox", name="Found").get_by_role("option")
    expect(found).to_contain_text("by this request")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(workflow))


def test_the_id_of_an_asset_opens_the_file(page: Page, stack: RunningStack) -> None:
    page.goto("/app/settings")
    page.get_by_role("heading", level=1).wait_for()
    asset = page.evaluate(
        """async (pixel) => {
            const body = new FormData();
            const bytes = Uint8Array.from(atob(pixel), (letter) => letter.charCodeAt(0));
            body.append("file", new File([bytes], "pixel.png", {type: "image/png"}));
            return (await fetch("/api/assets", {method: "POST", body})).json();
        }""",
        PIXEL,
    )

    search(page, asset["id"])
    expect(page.get_by_role("option", name="image/png")).to_be_visible()
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")

    opened.value.wait_for_load_state()
    assert asset["id"] in opened.value.url


def test_what_nothing_has_is_told(page: Page, complaints: list[str]) -> None:
    page.goto("/app/executions")
    page.get_by_role("heading", level=1).wait_for()

    search(page, NOBODYS)

    expect(page.get_by_role("dialog")).to_contain_text("Nothing has this id or name")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    complaints.clear()  # Chromium logs the 404 of a delivery


def test_the_editor_keeps_its_slash_and_searches_by_control_k(page: Page) -> None:
    page.goto("/app/editor/sought-words")
    page.get_by_role("article", name="Text Box text").wait_for()

    page.keyboard.press("Control+k")

    expect(page.get_by_role("dialog", name="Search")).to_be_visible()


def test_a_phone_has_the_search_in_its_header(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/app/executions")

    page.get_by_role("button", name="Search").click()

    expect(page.get_by_role("combobox", name="Id, slug")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_scrolls_its_row_of_pages_to_the_one_that_is_open(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/app/admin")

    entry = page.get_by_role("navigation").get_by_role("link", name="Administration")

    expect(entry).to_be_in_viewport(ratio=1)
