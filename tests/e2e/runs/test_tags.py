"""Tags: given in the playground, shown at executions, and filtered by."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow


def run_with_tags(page: Page, slug: str, tags: str) -> None:
    """Run a workflow from the playground with tags, and open its execution."""
    page.goto(f"/app/playground/{slug}")
    page.get_by_text("Tags and webhook").click()
    page.get_by_label("Tags").fill(tags)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Result").get_by_text("Completed")).to_be_visible()


def test_tags_of_a_run_are_shown_in_the_list_and_on_its_page(
    page: Page, stack: RunningStack
) -> None:
    stack.api("POST", "/api/workflows", greeting("With tags"))

    run_with_tags(page, "with-tags", "import, night\\, late, third")

    page.goto("/app/executions?workflowSlug=with-tags")
    row = page.get_by_role("row", name="with-tags")
    expect(row).to_contain_text("import")
    expect(row).to_contain_text("night, late")
    expect(row).to_contain_text("+1")
    row.get_by_role("link").click()
    tags = page.get_by_role("list", name="Tags").get_by_role("listitem")
    expect(tags).to_have_text(["import", "night, late", "third"])


def test_executions_and_usage_are_filtered_by_tags(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Tagged"))
    for tags in (["north, far", "all"], ["south", "all"], []):
        stack.api("POST", "/api/workflows/tagged/run", {"inputs": {}, "tags": tags})
    page.goto("/app/executions?workflowSlug=tagged")
    rows = page.get_by_role("table", name="Executions").get_by_role("rowheader")
    expect(rows).to_have_count(3)

    page.get_by_label("Tags").fill("all")
    expect(rows).to_have_count(2)
    page.get_by_label("Tags").fill("all, south")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(rows).not_to_have_count(1)
    page.get_by_label("Tags").fill("north\\, far")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    page.get_by_role("list", name="Tags").get_by_role("link", name="north, far").click()
    expect(rows).to_have_count(1)

    page.goto("/app/usage")
    page.get_by_label("Tags").fill("all")
    sums = page.get_by_role("table", name="Sums").get_by_role("row", name="tagged")
    expect(sums.get_by_role("cell").first).to_have_text("2")
    expect(page.get_by_role("tab", name="By API key")).to_have_count(0)
    sums.get_by_role("link").click()
    expect(rows).to_have_count(2)


def test_tags_that_are_too_long_or_too_many_are_not_sent(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("Too many tags"))
    page.goto("/app/playground/too-many-tags")
    page.get_by_text("Tags and webhook").click()
    tags = page.get_by_label("Tags")

    for text, reason in ((",".join("abcdefghijk"), "At most 10 tags"), ("x" * 65, "At most 64")):
        tags.fill(text)
        page.get_by_role("button", name="Run", exact=True).click()

        expect(page.get_by_text(reason)).to_be_visible()
        expect(tags).to_have_attribute("aria-invalid", "true")
    assert stack.api("GET", "/api/executions?workflowSlug=too-many-tags")[1]["rows"] == []
