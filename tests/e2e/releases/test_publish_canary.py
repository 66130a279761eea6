"""The dialog of publishing: live at once, or as a canary with its rule."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.drafts import draft, expect_saved, state, text_field, text_of
from tests.support.e2e.editor import open_editor
from tests.support.releases.workflows import alias, run_with, shown_alias, versions

pytestmark = pytest.mark.slow


def test_a_draft_is_published_as_a_canary_and_stays_to_go_on_from(
    page: Page, stack: RunningStack
) -> None:
    slug = versions(stack, "As a canary", "One {{ name }}")
    open_editor(page, slug)
    text_field(page).fill("Two {{ name }}")
    expect_saved(page)
    page.get_by_role("button", name="Publish", exact=True).click()
    dialog = page.get_by_role("dialog", name="Publish version 2")

    dialog.get_by_role("radio", name="As a canary").check()
    dialog.get_by_label("Share of the runs").fill("none")
    dialog.get_by_role("button", name="Publish as a canary").click()
    expect(dialog).to_contain_text("A whole number from 1 to 99.")
    assert violations(page) == []
    dialog.get_by_label("Share of the runs").fill("10")
    dialog.get_by_label("Most failed runs").fill("2.5")
    expect(dialog).to_contain_text("once more than 2.5 % of them failed")
    dialog.get_by_role("button", name="Publish as a canary").click()

    expect(dialog).to_have_count(0)
    expect(page.locator(".toasts")).to_contain_text(
        "Version 2 is a canary: 10 % of the runs get it"
    )
    expect(state(page)).to_contain_text("Changed · 1 since version 1")
    expect_saved(page)
    assert text_of(draft(stack, slug)) == "Two {{ name }}"
    found = alias(stack, slug)
    assert found is not None and found["version"] == 1
    rule = {"version": 2, "percent": 10, "minRuns": 50, "maxErrorRate": 0.025}
    assert found["canary"].items() >= rule.items()
    page.get_by_role("button", name="Versions", exact=True).click()
    row = page.get_by_role("listitem", name="Version 2")
    expect(row).to_contain_text("Canary")
    row.get_by_role("link", name="Promote or take back").click()
    expect(shown_alias(page).get_by_role("img")).to_have_accessible_name(
        "90 % of the runs get version 1, 10 % get version 2"
    )


def test_another_publication_says_that_it_ends_the_canary(page: Page, stack: RunningStack) -> None:
    slug = versions(stack, "Ends a canary", "One {{ name }}")
    open_editor(page, slug)
    text_field(page).fill("Two {{ name }}")
    expect_saved(page)
    page.get_by_role("button", name="Publish", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="As a canary").check()
    dialog.get_by_role("button", name="Publish as a canary").click()
    expect(dialog).to_have_count(0)
    text_field(page).fill("Three {{ name }}")
    expect_saved(page)

    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("dialog", name="Publish version 3")).to_contain_text(
        "Version 2 is the canary of the live version"
    )
    dialog.get_by_role("button", name="Publish now").click()

    expect(state(page)).to_contain_text("Published · version 3")
    found = alias(stack, slug)
    assert not (found and found["canary"])
    assert set(run_with(stack, slug, 3)) == {3}
