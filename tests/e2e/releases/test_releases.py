"""The page of the releases: aliases, a canary beside the live version, its end and its history."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.axe import violations
from tests.support.e2e.drafts import with_text
from tests.support.releases.workflows import (
    RULE,
    alias,
    failing,
    open_releases,
    publish,
    run_in_canary,
    run_with,
    set_alias,
    shown_alias,
    versions,
)

pytestmark = pytest.mark.slow
FORGIVING = {"percent": 50, "minRuns": 50, "maxErrorRate": 0.5, "maxP95Ms": 60_000}


def test_the_page_is_reached_from_the_card_of_a_workflow(page: Page, stack: RunningStack) -> None:
    slug = versions(stack, "Reached releases", "One {{ name }}", "Two {{ name }}")
    page.goto("/?q=Reached")

    page.get_by_role("article", name="Reached releases").get_by_role("link", name="Live").click()

    expect(page).to_have_url(re.compile(f"/app/workflows/{slug}/releases$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Releases of Reached releases")
    bar = shown_alias(page).get_by_role("img")
    expect(bar).to_have_accessible_name("All runs get version 2")
    rows = page.get_by_role("table", name="Versions").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("live")


def test_an_alias_is_made_moved_and_deleted(page: Page, stack: RunningStack) -> None:
    slug = versions(stack, "Named versions", "One {{ name }}", "Two {{ name }}")
    open_releases(page, slug)

    page.get_by_role("button", name="New alias").click()
    dialog = page.get_by_role("dialog", name="New alias")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Small letters, digits and hyphens")
    dialog.get_by_label("Name").fill("stable")
    dialog.get_by_label("Version", exact=True).select_option("1")
    dialog.get_by_role("button", name="Save").click()

    stable = shown_alias(page, "stable")
    expect(stable.get_by_role("img")).to_have_accessible_name("All runs get version 1")
    assert run_with(stack, slug, 1, "stable") == [1]
    stable.get_by_role("button", name="Change version").click()
    page.get_by_role("dialog").get_by_label("Version", exact=True).select_option("2")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(stable.get_by_role("img")).to_have_accessible_name("All runs get version 2")
    stable.get_by_text("History").click()
    entries = stable.get_by_role("list", name="History of stable").get_by_role("listitem")
    expect(entries.first).to_contain_text("From version 1 to version 2")
    stable.get_by_role("button", name="Delete").click()
    expect(stable).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(stable.get_by_role("img")).to_have_accessible_name("All runs get version 2")


def test_a_canary_is_begun_changed_and_taken_back(page: Page, stack: RunningStack) -> None:
    slug = versions(stack, "Tries a canary", "One {{ name }}", "Two {{ name }}")
    set_alias(stack, slug, "stable", version=1)
    open_releases(page, slug)
    stable = shown_alias(page, "stable")

    stable.get_by_role("button", name="Begin a canary").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Share of the runs").fill("100")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Choose another version")
    expect(dialog).to_contain_text("A whole number from 1 to 99.")
    dialog.get_by_label("Version of the canary").select_option("2")
    dialog.get_by_label("Share of the runs").fill("20")
    dialog.get_by_label("Longest p95").fill("1.5")
    dialog.get_by_role("button", name="Save").click()

    expect(stable.get_by_role("img")).to_have_accessible_name(
        "80 % of the runs get version 1, 20 % get version 2"
    )
    expect(stable.get_by_role("region", name="Rule")).to_contain_text("above 1.5 s")
    found = alias(stack, slug, "stable")
    assert found is not None
    assert found["canary"].items() >= {"version": 2, "percent": 20, "maxP95Ms": 1500}.items()
    assert found["canary"]["maxErrorRate"] == pytest.approx(0.05)
    stable.get_by_role("button", name="Change canary").click()
    expect(dialog.get_by_label("Longest p95")).to_have_value("1.5")
    dialog.get_by_label("Share of the runs").fill("60")
    dialog.get_by_role("button", name="Save").click()
    expect(stable.get_by_role("img")).to_have_accessible_name(re.compile("60 % get version 2"))
    stable.get_by_role("button", name="Take back").click()
    expect(stable.get_by_role("img")).to_have_accessible_name("All runs get version 1")
    page.get_by_role("button", name="Undo").click()
    expect(stable.get_by_role("img")).to_have_accessible_name(re.compile("60 % get version 2"))


def test_figures_of_a_canary_stand_beside_those_of_the_live_version_and_follow(
    page: Page, stack: RunningStack
) -> None:
    slug = versions(stack, "Side by side", "One {{ name }}")
    canary = publish(stack, slug, with_text("Two {{ name }}", "Side by side"), canary=FORGIVING)
    open_releases(page, slug)
    shown = page.get_by_role("table", name="Canary of live beside version 1")
    beside = page.get_by_role("region", name="Canary of live")
    expect(beside.get_by_role("status")).to_have_text("Too few runs to decide")

    run_in_canary(stack, slug, 2, canary)

    runs = shown.get_by_role("row", name="Version 2, canary").get_by_role("cell").first
    expect(runs).to_have_text("2")
    rule = page.get_by_role("region", name="Rule")
    expect(rule).to_contain_text("2 of 50")
    expect(rule).to_contain_text("0 % of at most 50 %")
    expect(beside.locator(".pair .canary").first).to_be_attached()
    assert violations(page) == []


def test_a_canary_is_promoted_under_its_own_number(page: Page, stack: RunningStack) -> None:
    slug = versions(stack, "Promoted here", "One {{ name }}")
    publish(stack, slug, with_text("Two {{ name }}", "Promoted here"), canary=FORGIVING)
    open_releases(page, slug)
    live = shown_alias(page)

    live.get_by_role("button", name="Promote version 2").click()
    page.get_by_role("dialog", name="Promote version 2?").get_by_role(
        "button", name="Promote"
    ).click()

    expect(live.get_by_role("img")).to_have_accessible_name("All runs get version 2")
    assert set(run_with(stack, slug, 3)) == {2}
    live.get_by_text("History").click()
    entries = live.get_by_role("list", name="History of live").get_by_role("listitem")
    expect(entries.first).to_contain_text("Version 2 was promoted")


def test_a_canary_that_fails_takes_itself_back_while_the_page_is_open(
    page: Page, stack: RunningStack
) -> None:
    slug = versions(stack, "Takes itself back", "One {{ name }}")
    canary = publish(stack, slug, failing("Takes itself back"), canary=RULE)
    open_releases(page, slug)
    live = shown_alias(page)
    expect(live.get_by_role("img")).to_have_accessible_name(re.compile("50 % get version 2"))

    run_in_canary(stack, slug, 4, canary)

    until(lambda: (alias(stack, slug) or {"canary": None})["canary"], lambda found: found is None)
    expect(live.get_by_role("img")).to_have_accessible_name("All runs get version 1")
    expect(live.get_by_role("status")).to_contain_text("Version 2 was taken back by itself")
    expect(live.get_by_role("status")).to_contain_text("failed")
    assert set(run_with(stack, slug, 3)) == {1}
    # Said on every page.
    expect(page.locator(".toasts")).to_contain_text("Version 2 of takes-itself-back was taken back")


def test_an_execution_names_the_alias_that_chose_its_version(
    page: Page, stack: RunningStack
) -> None:
    slug = versions(stack, "Chosen by name", "One {{ name }}", "Two {{ name }}")
    set_alias(stack, slug, "stable", version=1)
    run_with(stack, slug, 1, "stable")

    page.goto(f"/app/executions?workflowSlug={slug}")
    row = page.get_by_role("table", name="Executions").get_by_role("row", name=slug)
    expect(row).to_contain_text("v1 stable")
    row.get_by_role("link", name=slug).click()
    expect(page.get_by_text("chosen by stable")).to_be_visible()
    page.get_by_role("link", name="version 1").click()

    expect(shown_alias(page, "stable")).to_be_visible()


def test_a_draft_that_was_never_published_has_no_releases(page: Page, stack: RunningStack) -> None:
    document = {**with_text("One {{ name }}", "Only a draft"), "draft": True}
    stack.api("POST", "/api/workflows", document)

    page.goto("/app/workflows/only-a-draft/releases")

    expect(page.get_by_text("Nothing was published yet")).to_be_visible()
    page.get_by_role("link", name="Open the editor").click()
    expect(page).to_have_url(re.compile("/app/editor/only-a-draft"))
