"""The first page: a card for each workflow, and what can be done with it."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import every_field, greeting

pytestmark = pytest.mark.slow


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def test_a_card_tells_name_state_tags_and_last_run(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Ran once", tags=["seldom"]))
    stack.api("POST", "/api/workflows/ran-once/run", {"inputs": {"name": "Ada"}})

    page.goto("/")

    expect(page.get_by_role("heading", level=1)).to_have_text("Workflows")
    expect(card(page, "Ran once")).to_contain_text("Live")
    expect(card(page, "Ran once")).to_contain_text("0 credits")
    page.get_by_role("button", name="seldom").click()
    expect(page.get_by_role("article")).to_have_count(1)


def test_the_endpoint_is_copied_whole(page: Page, stack: RunningStack) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")

    card(page, "Greeting letter").get_by_role("button", name="Copy endpoint").click()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{stack.url}/api/workflows/greeting-letter/run"


def test_a_description_has_two_lines_beside_a_taller_card(page: Page, stack: RunningStack) -> None:
    long = "Words that say at length what this workflow is for. " * 6
    stack.api("POST", "/api/workflows", greeting("Told at length", description=long))
    page.goto("/")
    description = card(page, "Told at length").locator(".description")
    line = description.evaluate("each => parseFloat(getComputedStyle(each).lineHeight)")

    card(page, "Told at length").evaluate("each => { each.style.minHeight = '60rem' }")

    assert description.evaluate("each => each.clientHeight") <= 2 * line + 1


def test_a_copy_moves_nothing(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")
    copy = card(page, "Greeting letter").get_by_role("button", name="Copy endpoint")
    copy.scroll_into_view_if_needed()
    before = copy.bounding_box()

    copy.click()

    expect(copy).to_contain_text("Copied")
    assert copy.bounding_box() == before


def test_a_new_workflow_looks_the_same_after_a_visit_to_the_editor(page: Page) -> None:
    page.goto("/")

    def cards() -> list[float]:
        page.get_by_role("button", name="New workflow").click()
        dialog = page.get_by_role("dialog", name="New workflow")
        dialog.get_by_text("Needs no model").first.wait_for()
        heights = dialog.get_by_role("group", name="Start from").evaluate(
            "group => [group.clientHeight, group.scrollHeight]"
        )
        dialog.get_by_role("button", name="Cancel").click()
        return list(heights)

    before = cards()
    card(page, "Greeting letter").get_by_role("link", name="Edit").click()
    page.get_by_role("region", name="Canvas").wait_for()
    page.get_by_role("link", name="Workflows").click()
    page.get_by_role("article").first.wait_for()

    assert cards() == before


@pytest.mark.parametrize("width", [1440, 1180])
def test_the_names_of_all_pages_are_seen_whole(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    bar = page.get_by_role("banner").get_by_role("navigation")
    expect(bar.get_by_role("link", name="API reference")).to_be_visible()

    assert bar.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_search_finds_by_words_and_says_when_nothing_is_found(page: Page) -> None:
    page.goto("/")
    search = page.get_by_role("searchbox")

    search.fill("letter greet")
    expect(page.get_by_role("article")).to_have_count(1)
    search.fill("no such words")

    expect(page.get_by_text("Nothing found")).to_be_visible()


def test_a_workflow_is_created_duplicated_deleted_and_taken_back(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="New workflow").click()
    dialog = page.get_by_role("dialog", name="New workflow")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill("From the home page")
    dialog.get_by_role("button", name="Create").click()
    expect(page).to_have_url("/app/editor/from-the-home-page")

    page.get_by_role("link", name="Workflows").click()
    card(page, "From the home page").get_by_role("button", name="Duplicate").click()
    expect(card(page, "From the home page copy")).to_be_visible()
    card(page, "From the home page copy").get_by_role("button", name="Delete").click()
    expect(card(page, "From the home page copy")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()

    expect(card(page, "From the home page copy")).to_be_visible()
    page.reload()
    expect(card(page, "From the home page copy")).to_be_visible()


def test_a_workflow_that_others_call_is_deleted_after_a_second_look(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    stack.api("POST", "/api/workflows", greeting("Called one"))
    call = {"id": "sub", "type": "subWorkflow", "data": {"workflow": "called-one"}}
    draft = {"name": "Calling one", "nodes": [call], "edges": [], "draft": True}
    stack.api("POST", "/api/workflows", draft)
    page.goto("/")

    card(page, "Called one").get_by_role("button", name="Delete").click()
    expect(page.get_by_text('"Called one" is called by calling-one')).to_be_visible()
    expect(card(page, "Called one")).to_be_visible()
    page.get_by_role("button", name="Delete anyway").click()

    expect(card(page, "Called one")).to_have_count(0)
    status, _ = stack.api("GET", "/api/workflows/called-one")
    assert status == 404
    # The refusal; and a 404 where the list is still read again as the delete comes.
    assert {each.partition(" of ")[2][:3] for each in complaints} <= {"409", "404"}
    complaints.clear()


def test_an_archived_workflow_is_put_aside_and_brought_back(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("Old times"))
    page.goto("/")

    card(page, "Old times").get_by_role("button", name="Archive").click()
    expect(card(page, "Old times")).to_have_count(0)
    page.get_by_role("button", name="Archived (1)").click()
    card(page, "Old times").get_by_role("button", name="Bring back").click()
    page.get_by_role("button", name="Archived (0)").click()

    expect(card(page, "Old times")).to_contain_text("Live")


def test_a_template_is_a_beginning(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", every_field("Begin here", isTemplate=True))
    page.goto("/")

    page.get_by_role("button", name="New workflow").click()
    page.get_by_label("Name", exact=True).fill("From a template")
    page.get_by_role("radio", name="Begin here").check()
    page.get_by_role("button", name="Create").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("From a template")
    expect(page.get_by_role("article", name="Text Box text")).to_be_visible()
