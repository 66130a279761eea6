"""The form of a Request Input, designed in its settings."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.node_settings import (
    await_settings,
    draft,
    node,
    open_settings,
    save_draft,
    wire,
)

pytestmark = pytest.mark.slow

NAME = {"name": "name", "label": "Name", "type": "text", "required": True}
TONE = {"name": "tone", "type": "pills", "options": ["calm", "lively"]}


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A form of two fields, of which the first is wired."""
    nodes = [
        node("form", "requestInput", fields=[NAME, TONE]),
        node("text", "textBox", text="Hello {{ who }}"),
    ]
    return save_draft(stack, "Form", nodes, wire("form.name", "text.who"))


def field(panel: Locator, name: str) -> Locator:
    """Open the row of a field."""
    row = panel.locator(".field-row").filter(has=panel.page.get_by_text(name, exact=True)).first
    row.locator("summary").click()
    return row


def test_a_renamed_field_keeps_its_wire_and_one_undo_takes_both_back(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "form")

    field(panel, "Name").get_by_label("Name", exact=True).fill("recipient")
    await_settings(stack, slug, "form", {"fields": [{**NAME, "name": "recipient"}, TONE]})
    assert draft(stack, slug)["edges"][0]["sourceHandle"] == "recipient"

    page.get_by_role("button", name="Undo").click()
    await_settings(stack, slug, "form", {"fields": [NAME, TONE]})
    assert draft(stack, slug)["edges"][0]["sourceHandle"] == "name"


def test_a_name_that_is_taken_is_not_given(page: Page, stack: RunningStack, slug: str) -> None:
    panel = open_settings(page, slug, "form")

    row = field(panel, "Name")
    row.get_by_label("Name", exact=True).fill("tone")
    expect(row.get_by_text("‘tone’ is taken already.")).to_be_visible()
    row.get_by_label("Label").fill("Who")
    await_settings(stack, slug, "form", {"fields": [{**NAME, "label": "Who"}, TONE]})


def test_fields_are_put_in_order_by_keyboard_and_by_pointer(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "form")

    panel.get_by_role("button", name="Reorder field tone").press("ArrowUp")
    expect(panel.get_by_role("button", name="Reorder field tone")).to_be_focused()
    await_settings(stack, slug, "form", {"fields": [TONE, NAME]})

    panel.get_by_role("button", name="Reorder field name").drag_to(
        panel.locator(".field-row").first
    )
    await_settings(stack, slug, "form", {"fields": [NAME, TONE]})


def test_a_field_is_added_with_its_constraints_and_previewed(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "form")

    panel.get_by_label("Type of the new field").select_option("Slider")
    panel.get_by_role("button", name="Add a field").click()
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("warmth")
    panel.get_by_label("Label").fill("Warmth")
    panel.get_by_label("Maximum").fill("5")
    panel.get_by_label("Help").fill("Warmer to the right.")
    warmth = {
        "name": "warmth",
        "type": "slider",
        "required": False,
        "min": 0,
        "max": 5,
        "step": 1,
        "label": "Warmth",
        "helperText": "Warmer to the right.",
    }
    await_settings(stack, slug, "form", {"fields": [NAME, TONE, warmth]})

    panel.get_by_text("Preview of the form").click()
    preview = panel.locator(".preview")
    expect(preview.get_by_role("slider", name="Warmth")).to_be_visible()
    expect(preview.get_by_role("radio")).to_have_count(2)


def test_a_field_is_duplicated_and_removed_with_its_wire(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "form")

    field(panel, "Name").get_by_role("button", name="Duplicate field name").click()
    panel.get_by_role("button", name="Remove field name", exact=True).click()
    await_settings(stack, slug, "form", {"fields": [{**NAME, "name": "name_2"}, TONE]})
    assert draft(stack, slug)["edges"] == []


def test_a_field_of_another_type_keeps_its_socket_and_its_wire(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "form")
    expect(page.locator("[data-id=form] [data-socket=tone]")).to_be_visible()

    field(panel, "Name").get_by_label("Type", exact=True).select_option("Number")
    await_settings(stack, slug, "form", {"fields": [{**NAME, "type": "number"}, TONE]})
    assert [each["sourceHandle"] for each in draft(stack, slug)["edges"]] == ["name"]
    expect(page.get_by_role("button", name="No problems")).to_be_visible()


def test_no_field_is_called_params(page: Page, stack: RunningStack, slug: str) -> None:
    panel = open_settings(page, slug, "form")

    row = field(panel, "Name")
    row.get_by_label("Name", exact=True).fill("params")
    expect(row.get_by_text("and not ‘params’.")).to_be_visible()
    row.get_by_label("Label").fill("Who")
    await_settings(stack, slug, "form", {"fields": [{**NAME, "label": "Who"}, TONE]})


def test_a_problem_of_a_constraint_is_shown_at_its_field(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "form")

    row = field(panel, "tone")
    row.get_by_label("Options").fill("")
    expect(row.get_by_text("1 problem")).to_be_visible()
    expect(row.get_by_text("Options must have at least one entry for pills.")).to_be_visible()
