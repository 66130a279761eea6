"""Room on the canvas: for nodes beside the panel of a run, and for controls beside the tour."""

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.editor import canvas, card, cards, drag, middle, open_editor
from tests.support.e2e.editor_pages import twenty_nodes
from tests.support.e2e.workflows import asking, greeting

pytestmark = pytest.mark.slow
DESK = {"width": 1180, "height": 820}
PHONE = {"width": 390, "height": 844}
PACED = "[[stub pace=120]] " + " ".join(["word"] * 40)
"""About five seconds."""
CONTRAST = """button => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const light = text => {
    const [r, g, b] = numbers(text).slice(0, 3).map(each => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const { color, backgroundColor } = getComputedStyle(button);
  const [one, other] = [light(color), light(backgroundColor)].sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
}"""


def box(place: Locator) -> FloatRect:
    found = place.bounding_box()
    assert found is not None
    return found


def lies_on(one: Locator, other: Locator) -> bool:
    a, b = box(one), box(other)
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


def test_the_bar_has_one_row(page: Page, stack: RunningStack) -> None:
    page.set_viewport_size(DESK)
    name = "A name of a workflow that is as long as some are"
    _, created = stack.api("POST", "/api/workflows", greeting(name))
    open_editor(page, created["slug"])
    bar = page.locator(".editor-bar")
    expect(bar).to_contain_text("free")

    card(page, "text").click()
    page.get_by_label("Text", exact=True).fill("{{ name }} and {{ unwired }}")

    expect(bar).to_contain_text("1 problem")
    expect(bar).to_contain_text("Savedrevision")
    expect(bar.get_by_title("Estimate of one run")).to_have_count(0)
    assert box(bar)["height"] < 60
    button = box(bar.get_by_role("button", name="Publish"))
    assert button["x"] + button["width"] <= DESK["width"]


def sticking_out(page: Page) -> list[str | None]:
    """Return the nodes that are not whole in view, once the view rests."""
    seen = ""
    while seen != (seen := str(page.locator(".react-flow__viewport").get_attribute("style"))):
        page.wait_for_timeout(300)
    outer = box(canvas(page))
    return [
        each.get_attribute("data-id")
        for each in cards(page).all()
        if (inner := box(each))["x"] < outer["x"] - 1
        or inner["x"] + inner["width"] > outer["x"] + outer["width"] + 1
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_button_of_a_run_that_goes_on_can_be_read(
    page: Page, stack: RunningStack, theme: str
) -> None:
    page.emulate_media(color_scheme=theme)
    document = asking(f"Legible {theme}", "gpt-mini", "text-out", PACED)
    _, created = stack.api("POST", "/api/workflows", document)
    open_editor(page, created["slug"])
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Run the draft").click()

    # The pointer still is over it.
    busy = page.get_by_role("button", name="Running…")
    expect(busy).to_be_disabled()
    page.wait_for_timeout(300)
    assert busy.evaluate(CONTRAST) >= 4.5
    page.get_by_role("button", name="Cancel").click()


def test_the_panel_of_a_run_folds_away_and_all_nodes_stay_in_view(
    page: Page, stack: RunningStack
) -> None:
    page.set_viewport_size(DESK)
    _, created = stack.api("POST", "/api/workflows", twenty_nodes("Room for a run"))
    open_editor(page, created["slug"])
    assert sticking_out(page) == []

    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.get_by_label("Product").fill("a mug")
    panel.get_by_label("Tone").fill("calm")
    assert sticking_out(page) == []
    narrow = box(cards(page).first)["width"]
    panel.get_by_role("button", name="Run the draft").click()
    panel.get_by_role("button", name="Fold away").click()

    assert sticking_out(page) == []
    assert box(cards(page).first)["width"] > narrow
    folded = page.get_by_role("button", name="Show the run")
    expect(folded).to_contain_text("Completed", timeout=30_000)
    assert violations(page) == []
    folded.click()
    expect(panel.get_by_role("region", name="Result")).to_contain_text("completed")
    assert sticking_out(page) == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_tour_covers_no_control_and_no_settings_and_ends_when_one_draws(
    page: Page, stack: RunningStack, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    _, created = stack.api("POST", "/api/workflows", greeting(f"Toured {size['width']}"))
    open_editor(page, created["slug"])
    controls = [page.locator(".react-flow__controls")]
    if size is PHONE:
        controls.append(page.get_by_role("button", name="Add a node"))

    offer = page.get_by_role("region", name="Tour")
    assert not any(lies_on(offer, each) for each in controls)
    offer.get_by_role("button", name="Take the tour").click()
    tour = page.get_by_role("dialog")
    for _ in range(4):
        assert not any(lies_on(tour, each) for each in controls)
        page.get_by_role("button", name="Next").click()
    if size is PHONE:
        return
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    panel.wait_for()
    page.wait_for_timeout(400)
    assert not lies_on(tour, panel)

    x, y = middle(card(page, "result").locator("header"))
    drag(page, (x, y), (x + 40, y + 60))
    expect(tour).to_have_count(0)
    page.reload()
    card(page, "result").wait_for()
    expect(offer).to_have_count(0)


def test_a_folded_run_covers_no_control_on_a_phone(page: Page, stack: RunningStack) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    _, created = stack.api("POST", "/api/workflows", greeting("Folded on a phone"))
    open_editor(page, created["slug"])
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Run the draft").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("Hello Ada!")
    page.get_by_role("button", name="Fold away").click()

    folded = page.get_by_role("button", name="Show the run")
    for control in (
        page.get_by_role("button", name="Add a node"),
        page.locator(".react-flow__controls"),
    ):
        assert not lies_on(folded, control)
