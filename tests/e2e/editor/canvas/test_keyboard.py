"""Drawing on the canvas by keyboard alone, and what screen readers hear."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.editor import (
    canvas,
    card,
    cards,
    drafted,
    ends,
    ids,
    open_editor,
    position,
    press,
    wires,
)
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow of its own: a form, a text and a result."""
    _, created = stack.api("POST", "/api/workflows", greeting("By keyboard"))
    return str(created["slug"])


def focused(page: Page) -> str | None:
    """Return the id of the node that has the focus."""
    found = page.evaluate("document.activeElement.closest('.react-flow__node')?.dataset.id")
    return None if found is None else str(found)


def test_tab_and_arrows_follow_the_graph(page: Page, slug: str) -> None:
    open_editor(page, slug)
    card(page, "form").focus()
    press(page, "Tab")
    assert focused(page) == "text"
    press(page, "ArrowRight")
    assert focused(page) == "result"
    press(page, "ArrowLeft", "Shift+Tab")
    assert focused(page) == "form"
    expect(page.locator(".canvas > [aria-live]")).to_have_text("Request Input form")

    press(page, "Tab", "Tab", "Tab")
    assert focused(page) is None


def test_a_workflow_is_drawn_without_a_pointer(page: Page, stack: RunningStack, slug: str) -> None:
    open_editor(page, slug)
    press(page, "/")
    page.keyboard.type("transform")
    press(page, "Enter")
    expect(card(page, "transform")).to_be_visible()
    card(page, "form").focus()
    press(page, "ArrowRight", "w")
    page.get_by_role("combobox", name="Wire text of text to").fill("transform")
    press(page, "Enter")

    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 3)
    assert ("text", "text-out", "transform", "value-in") in ends(saved)
    expect(page.locator(".canvas > [aria-live]")).to_have_text(
        "text wired to value-in of transform"
    )
    press(page, "Shift+W")
    page.get_by_role("combobox", name="Remove a wire of text").fill("transform")
    press(page, "Enter")
    expect(wires(page)).to_have_count(2)


def test_chosen_nodes_are_moved_copied_and_deleted(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    card(page, "text").focus()
    press(page, "ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown")
    drafted(page, stack, slug, lambda draft: position(draft, "form") == (0, 16))
    press(page, "Control+d")
    expect(cards(page)).to_have_count(4)
    drafted(page, stack, slug, lambda draft: "form-2" in ids(draft))

    press(page, "Delete")
    expect(cards(page)).to_have_count(3)
    press(page, "Control+a", "Delete")
    expect(cards(page)).to_have_count(0)
    expect(canvas(page)).to_contain_text("double click")
    press(page, "Control+z", "Control+z")
    expect(cards(page)).to_have_count(4)
    press(page, "Control+Shift+Z", "Control+y")
    expect(cards(page)).to_have_count(0)


def test_enter_opens_the_settings_and_keys_in_a_field_are_its_own(page: Page, slug: str) -> None:
    open_editor(page, slug)
    card(page, "text").focus()
    press(page, "Enter")
    field = page.get_by_label("Text", exact=True)
    field.click()
    press(page, "End", "w", "/", "Delete", "Control+a", "Delete")

    expect(cards(page)).to_have_count(3)


def test_f2_renames_a_node_with_its_wires(page: Page, stack: RunningStack, slug: str) -> None:
    open_editor(page, slug)
    card(page, "text").focus()
    press(page, "F2")
    name = page.get_by_label("Name of the node")
    name.fill("form")
    expect(page.get_by_role("alert")).to_have_text("Another node is called ‘form’.")
    name.fill("letter")
    press(page, "Enter")

    saved = drafted(page, stack, slug, lambda draft: "letter" in ids(draft))
    assert ends(saved) == [
        ("form", "name", "letter", "name"),
        ("letter", "text-out", "result", "result-in"),
    ]
    expect(wires(page)).to_have_count(2)
    press(page, "Control+z")
    expect(card(page, "text")).to_be_visible()


def test_the_help_sheet_lists_the_keys(page: Page, slug: str) -> None:
    open_editor(page, slug)
    press(page, "?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text(re.compile("Undo\\s*Ctrl\\+Z"))
    assert violations(page) == []
    press(page, "Escape")
    expect(sheet).to_have_count(0)


def test_the_menu_opens_by_keyboard(page: Page, slug: str) -> None:
    open_editor(page, slug)
    card(page, "text").focus()
    press(page, "Shift+F10")
    menu = page.get_by_role("menu", name="Actions on the node")
    expect(menu.get_by_role("menuitem", name="Open settings")).to_be_focused()
    assert violations(page) == []
    press(page, "End", "Escape")

    expect(menu).to_have_count(0)
    assert focused(page) == "text"


def test_the_quick_add_is_accessible(page: Page, slug: str) -> None:
    open_editor(page, slug)
    press(page, "/")
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == []


def test_the_zoom_is_set_by_keys(page: Page, slug: str) -> None:
    open_editor(page, slug)
    said = page.locator(".canvas > [aria-live]")
    press(page, "1")
    expect(said).to_have_text("Zoom 100 %")
    press(page, "-")
    expect(said).to_have_text("Zoom 83 %")
