"""Wires after a change of settings: those that fit stay, the others are named."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import (
    canvas,
    drafted,
    ends,
    expect_toast,
    open_editor,
    pick,
    press,
    wires,
)
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow of its own: a form, a text and a result."""
    _, created = stack.api("POST", "/api/workflows", greeting("Fitting"))
    return str(created["slug"])


def test_a_wire_without_its_placeholder_goes_with_the_same_step(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    pick(page, "text")
    page.get_by_label("Text", exact=True).fill("Hello you!")
    canvas(page).click(position={"x": 20, "y": 20})

    expect_toast(page, "A wire no longer fits and was removed: form name → text name.")
    saved = drafted(page, stack, slug, lambda draft: len(draft["edges"]) == 1)
    assert ends(saved) == [("text", "text-out", "result", "result-in")]
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(wires(page)).to_have_count(2)
    drafted(
        page, stack, slug, lambda draft: draft["nodes"][1]["data"]["text"] == "Hello {{ name }}!"
    )


def test_a_wire_follows_a_renamed_placeholder_once_the_text_is_settled(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    pick(page, "text")
    field = page.get_by_label("Text", exact=True)
    field.fill("Hello {{ nam")
    page.wait_for_timeout(600)
    field.fill("Hello {{ guest }}!")
    field.blur()

    saved = drafted(
        page, stack, slug, lambda draft: ("form", "name", "text", "guest") in ends(draft)
    )
    assert len(saved["edges"]) == 2
    expect(wires(page)).to_have_count(2)
    expect(page.locator(".toast")).to_have_count(0)
    press(page, "Control+z")
    press(page, "Control+z")
    drafted(page, stack, slug, lambda draft: ("form", "name", "text", "name") in ends(draft))
