"""Settings for all people: rules of accessibility, phones, and the way to a field."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.node_settings import node, open_settings, save_draft, wire
from tests.support.e2e.workflows import FIELDS

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}
NODES = [
    node("form", "requestInput", fields=FIELDS),
    node("text", "textBox", text="{{ title }} {{ other }} {{ a b }}"),
    node("model", "assistant", model="gpt", temperature=1),
    node(
        "call",
        "httpRequest",
        url="https://x.example/{{ title }}?k={{ secret.NOT_THERE }}",
        headers={"Accept": "text/plain"},
        auth={"type": "header", "secret": "NOT_THERE", "name": "X-Key"},
        retry={"attempts": 99},
    ),
    node("tool", "mcpTool", server="x", tool="t", arguments={"a": "{{ b }}", "c": {"d": 1}}),
    node("list", "list", items=[{"value": "one"}, {"value": {"a": 1}, "included": 2}]),
    node("calc", "transform", expression="value +", variables=["tax"]),
    node("route", "switch", cases=[{"name": "big", "when": "value > 9.0"}]),
    node("caption", "imageCaption", color="#ff8800"),
    node("photo", "upload"),
    node("ask", "approval", title="{{ title }}?", fields=FIELDS[:6], timeoutSeconds=1),
    node("pause", "delay", seconds=90),
    node("until", "delay", until="2030-01-01T09:00:00Z"),
    node("result", "responseOutput", fields=[{"name": "text"}]),
]
OPEN_ALL = "each => each.querySelectorAll('details').forEach((fold) => { fold.open = true; })"


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A draft with nearly all widgets, some of them with problems."""
    wires = (wire("form.title", "text.title"), wire("text.text-out", "result.text"))
    return save_draft(stack, "All widgets", NODES, *wires)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_widgets_keep_the_rules_of_accessibility(
    make_page: MakePage, signed_in: Path, slug: str, theme: str
) -> None:
    page = make_page(signed_in, color_scheme=theme, reduced_motion="reduce")
    panel = open_settings(page, slug, "form")

    for each in NODES:
        page.locator(f".react-flow__node[data-id='{each['id']}'] header").dispatch_event("click")
        expect(panel.get_by_text(each["id"], exact=True).first).to_be_visible()
        panel.evaluate(OPEN_ALL)
        panel.evaluate(OPEN_ALL)
        assert violations(page) == [], each["id"]


def test_settings_are_a_sheet_on_a_phone(make_page: MakePage, signed_in: Path, slug: str) -> None:
    page = make_page(signed_in, viewport=PHONE)
    page.goto(f"/app/editor/{slug}")
    page.locator(".react-flow__node[data-id='call'] header").dispatch_event("click")
    panel = page.get_by_role("region", name="Settings")
    panel.get_by_label("URL", exact=True).wait_for()

    box = panel.bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 844)
    assert panel.evaluate("each => each.scrollWidth <= each.clientWidth")


@pytest.mark.parametrize(
    ("place", "control"),
    [
        ("call", "Calls at most"),
        ("form", "Name"),
        ("list", "Item 2, included"),
    ],
)
def test_a_problem_leads_to_its_field(
    page: Page, stack: RunningStack, place: str, control: str
) -> None:
    broken = [
        node("call", "httpRequest", url="https://x.example", retry={"attempts": 99}),
        node("form", "requestInput", fields=[FIELDS[0], {"name": "", "type": "text"}]),
        node("list", "list", items=[{"value": "one"}, {"value": "two", "included": 2}]),
    ]
    chosen = [each for each in broken if each["id"] == place]
    slug = save_draft(stack, f"Leads to {place}", chosen)
    page.goto(f"/app/editor/{slug}")

    page.get_by_role("button", name="problem").first.click()
    page.locator(".leading").first.click()

    panel = page.get_by_role("region", name="Settings")
    expect(panel.get_by_label(control, exact=True)).to_be_focused()


def test_a_wire_tells_its_ends_and_is_removed(page: Page, stack: RunningStack) -> None:
    nodes = [node("form", "requestInput", fields=[FIELDS[0]]), node("text", "textBox", text="Hi")]
    slug = save_draft(stack, "A wire", nodes, wire("form.title", "text.gone"))
    page.goto(f"/app/editor/{slug}")

    page.get_by_role("button", name="problem").first.click()
    page.locator(".leading").first.click()
    panel = page.get_by_role("region", name="Settings")
    expect(panel.get_by_role("definition")).to_have_text(
        ["formtitletext", "textgoneno such socket"]
    )
    panel.get_by_role("button", name="Remove wire").click()
    expect(page.get_by_role("button", name="No problems")).to_be_visible()


def test_several_chosen_nodes_are_counted(page: Page, stack: RunningStack, slug: str) -> None:
    panel = open_settings(page, slug, "text")

    page.locator(".react-flow__node[data-id='model'] header").click(modifiers=["ControlOrMeta"])
    expect(panel.get_by_role("heading", name="2 nodes selected")).to_be_visible()
