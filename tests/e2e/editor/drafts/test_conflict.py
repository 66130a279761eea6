"""Two people in one workflow: each sees the other's save, and nobody overwrites the other."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.drafts import (
    create,
    draft,
    expect_saved,
    forget,
    text_field,
    text_of,
    with_text,
    write,
)
from tests.support.e2e.editor import open_editor

pytestmark = pytest.mark.slow
Pair = tuple[Page, Page]


@pytest.fixture
def pair(make_page: MakePage, signed_in: Path) -> Pair:
    """Pages of two browsers of one account."""
    return make_page(signed_in), make_page(signed_in)


def add(page: Page, label: str) -> None:
    sidebar = page.get_by_role("complementary")
    sidebar.get_by_role("button", name=label, exact=True).click()


def undo(page: Page) -> None:
    page.get_by_role("button", name="Undo", exact=True).click()


def conflict(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Conflict")


def test_each_sees_the_others_save_and_both_are_kept(pair: Pair, stack: RunningStack) -> None:
    slug = create(stack, "For two", description="Before")
    one, two = pair
    for page in pair:
        open_editor(page, slug)

    text_field(one).fill("From one, {{ name }}")
    expect_saved(one)
    expect(text_field(two)).to_have_value("From one, {{ name }}")
    two.get_by_role("button", name="Workflow", exact=True).click()
    two.get_by_label("Description").fill("From two")
    expect_saved(two)
    one.get_by_role("button", name="Workflow", exact=True).click()

    expect(one.get_by_label("Description")).to_have_value("From two")
    expect(one.get_by_text("Somebody else is changing this workflow")).to_be_visible()
    found = draft(stack, slug)
    assert (text_of(found), found["description"]) == ("From one, {{ name }}", "From two")


def test_undo_takes_back_only_what_was_done_here(pair: Pair, stack: RunningStack) -> None:
    slug = create(stack, "Undo beside others")
    one, two = pair
    for page in pair:
        open_editor(page, slug)
    text_field(one).fill("Mine, {{ name }}")
    expect_saved(one)
    expect(text_field(two)).to_have_value("Mine, {{ name }}")
    add(two, "List")
    theirs = one.get_by_role("article", name="List list")
    expect(theirs).to_be_visible()

    undo(one)

    expect(text_field(one)).to_have_value("Hello {{ name }}!")
    expect(theirs).to_be_visible()
    one.get_by_role("button", name="Redo", exact=True).click()
    expect(text_field(one)).to_have_value("Mine, {{ name }}")
    until(lambda: text_of(draft(stack, slug)) == "Mine, {{ name }}")
    assert "list" in [each["id"] for each in draft(stack, slug)["nodes"]]


def test_nodes_that_both_add_under_one_id_are_both_there(
    pair: Pair, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Same id")
    for page in pair:
        open_editor(page, slug)
        page.context.set_offline(True)
    for page, name in zip(pair, ("List", "List"), strict=True):
        add(page, name)
    pair[1].get_by_role("article", name="List list").hover()
    pair[1].mouse.down()
    pair[1].mouse.move(500, 300, steps=4)
    pair[1].mouse.up()

    for page in pair:
        page.context.set_offline(False)

    for page in pair:
        expect(page.get_by_role("article", name="List list")).to_have_count(2)
        expect_saved(page)
    ids = [each["id"] for each in draft(stack, slug)["nodes"]]
    assert ids.count("list") == 1
    assert len(ids) == len(set(ids)) == 5
    forget(complaints)


@pytest.fixture
def disputed(page: Page, stack: RunningStack) -> str:
    """A workflow whose text both have changed: this page while its network was cut."""
    slug = create(stack, "Disputed")
    open_editor(page, slug)
    page.context.set_offline(True)
    text_field(page).fill("Mine, {{ name }}")
    write(stack, slug, with_text("Theirs, {{ name }}", "Disputed", tags=["theirs"]))
    page.context.set_offline(False)
    return slug


def test_both_values_are_shown_and_nothing_is_overwritten(
    page: Page, stack: RunningStack, disputed: str, complaints: list[str]
) -> None:
    dialog = conflict(page)

    expect(dialog.get_by_role("region", name="Text Box text: Text")).to_contain_text(
        "Mine, {{ name }}"
    )
    expect(dialog).to_contain_text("Theirs, {{ name }}")
    expect(page.get_by_text("Conflict", exact=True)).to_be_visible()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        assert violations(page) == []
    assert text_of(draft(stack, disputed)) == "Theirs, {{ name }}"
    forget(complaints)


@pytest.mark.parametrize(
    ("choice", "text"), [("Keep mine", "Mine, {{ name }}"), ("Take theirs", "Theirs, {{ name }}")]
)
def test_the_side_that_is_chosen_is_saved(
    page: Page, stack: RunningStack, disputed: str, complaints: list[str], choice: str, text: str
) -> None:
    conflict(page).get_by_role("button", name=choice).click()

    expect(conflict(page)).to_have_count(0)
    expect_saved(page)
    expect(text_field(page)).to_have_value(text)
    found = draft(stack, disputed)
    assert (text_of(found), found["tags"]) == (text, ["theirs"])
    forget(complaints)


def test_a_choice_may_wait_and_is_taken_back_by_undo(
    page: Page, stack: RunningStack, disputed: str, complaints: list[str]
) -> None:
    conflict(page).wait_for()

    page.keyboard.press("Escape")
    expect(page.get_by_text("not saved until you choose")).to_be_visible()
    page.get_by_role("button", name="Choose").click()
    conflict(page).get_by_role("button", name="Take theirs").click()
    expect(text_field(page)).to_have_value("Theirs, {{ name }}")
    undo(page)

    expect(text_field(page)).to_have_value("Mine, {{ name }}")
    until(lambda: text_of(draft(stack, disputed)) == "Mine, {{ name }}")
    forget(complaints)


def test_a_node_that_others_removed_while_it_was_changed_may_be_kept_with_its_wires(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    slug = create(stack, "Removed")
    open_editor(page, slug)
    page.context.set_offline(True)
    text_field(page).fill("Mine, {{ name }}")
    theirs = with_text("", "Removed")
    theirs["nodes"].pop(1)
    write(stack, slug, {**theirs, "edges": []})
    page.context.set_offline(False)

    expect(conflict(page)).to_contain_text("The node is removed.")
    conflict(page).get_by_role("button", name="Keep mine").click()

    expect_saved(page)
    found = draft(stack, slug)
    assert text_of(found) == "Mine, {{ name }}"
    assert len(found["edges"]) == 2
    forget(complaints)


def test_a_draft_that_others_discard_or_publish_is_followed(
    page: Page, stack: RunningStack
) -> None:
    slug = create(stack, "Followed")
    open_editor(page, slug)
    write(stack, slug, with_text("Theirs, {{ name }}", "Followed"))
    expect(text_field(page)).to_have_value("Theirs, {{ name }}")

    stack.api("POST", f"/api/workflows/{slug}/publish", {})

    state = page.get_by_role("status", name="State of the workflow")
    expect(state).to_have_text("●Unchanged · version 2")
    write(stack, slug, with_text("Theirs again, {{ name }}", "Followed"))
    expect(text_field(page)).to_have_value("Theirs again, {{ name }}")
    stack.api("DELETE", f"/api/workflows/{slug}/draft")
    expect(text_field(page)).to_have_value("Theirs, {{ name }}")
