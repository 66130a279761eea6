"""Parts of workflows: copied, pasted, grouped, and notes beside them."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.editor import (
    canvas,
    card,
    cards,
    drafted,
    drag,
    ends,
    ids,
    middle,
    open_editor,
    position,
    press,
    wires,
)
from tests.support.e2e.workflows import every_field, greeting

pytestmark = pytest.mark.slow
PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const event = { clipboardData: data, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new ClipboardEvent("paste", event));
}"""


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow of its own: a form, a text and a result."""
    _, created = stack.api("POST", "/api/workflows", greeting("In parts"))
    return str(created["slug"])


def test_nodes_are_copied_to_another_workflow_with_their_wires(
    page: Page, stack: RunningStack, slug: str
) -> None:
    _, other = stack.api("POST", "/api/workflows", greeting("Pasted into"))
    open_editor(page, slug)
    press(page, "Control+a", "Control+c")
    window = page.context.new_page()
    open_editor(window, other["slug"])
    canvas(window).click(position={"x": 200, "y": 60})
    press(window, "Control+v")

    expect(cards(window)).to_have_count(6)
    saved = drafted(window, stack, other["slug"], lambda draft: len(draft["nodes"]) == 6)
    assert ids(saved)[3:] == ["form-2", "text-2", "result-2"]
    assert ("form-2", "name", "text-2", "name") in ends(saved)
    press(window, "Control+z")
    expect(cards(window)).to_have_count(3)


def test_cut_nodes_come_back_by_paste(page: Page, slug: str) -> None:
    open_editor(page, slug)
    card(page, "text").focus()
    press(page, "ArrowRight", "ArrowLeft", "Control+x")
    expect(cards(page)).to_have_count(2)
    expect(wires(page)).to_have_count(0)
    press(page, "Control+v")
    expect(card(page, "text")).to_be_visible()


def test_the_json_of_a_whole_workflow_is_pasted(page: Page, slug: str) -> None:
    open_editor(page, slug)
    page.evaluate(PASTE, json.dumps(every_field("From a file")))
    expect(cards(page)).to_have_count(6)
    expect(wires(page)).to_have_count(5)

    page.evaluate(PASTE, "no nodes")
    expect(page.locator(".toast")).to_contain_text("The clipboard has no nodes")


def test_a_group_has_a_title_moves_its_nodes_and_goes(
    page: Page, stack: RunningStack, slug: str
) -> None:
    open_editor(page, slug)
    card(page, "form").locator("header").click()
    card(page, "text").locator("header").click(modifiers=["Control"])
    press(page, "Control+g")
    page.get_by_label("Title of the group").fill("Before")
    press(page, "Enter")
    frame = page.get_by_role("region", name="Group Before")
    x, y = middle(frame.get_by_role("heading"))
    drag(page, (x, y), (x, y + 100))

    saved = drafted(page, stack, slug, lambda draft: position(draft, "form")[1] > 0)
    assert saved["editor"]["groups"] == [
        {"id": "group", "title": "Before", "nodes": ["form", "text"]}
    ]
    assert position(saved, "text")[1] == position(saved, "form")[1]
    assert position(saved, "result")[1] == 0
    press(page, "Control+z")
    drafted(page, stack, slug, lambda draft: position(draft, "form")[1] == 0)
    press(page, "Control+Shift+G")
    expect(frame).to_have_count(0)


def test_a_note_is_written_in_place(page: Page, stack: RunningStack, slug: str) -> None:
    open_editor(page, slug)
    page.get_by_role("button", name="Note", exact=True).click()
    page.get_by_label("Text of the note").fill("# To do\n\nMake it **shorter**.")
    press(page, "Escape")
    note = page.get_by_role("article", name="Note note")
    expect(note.get_by_role("heading", name="To do")).to_be_visible()

    note.dblclick()
    page.get_by_label("Text of the note").fill("Done.")
    press(page, "Escape")
    drafted(
        page,
        stack,
        slug,
        lambda draft: {"text": "Done."} in [each["data"] for each in draft["nodes"]],
    )
