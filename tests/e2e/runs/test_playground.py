"""The playground: a form made from the schema, a run as it goes on, and the same call as code."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import every_field, greeting
from tests.support.media.files import png

pytestmark = pytest.mark.slow
TRANSFER = """(element, {way, bytes}) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "dot.png", {type: "image/png"}));
  const options = {bubbles: true, cancelable: true};
  element.dispatchEvent(
    way === "drop"
      ? new DragEvent("drop", {...options, dataTransfer: data})
      : new ClipboardEvent("paste", {...options, clipboardData: data}),
  );
}"""
"""Drop or paste a file, as the browser would tell of it."""


@pytest.fixture(scope="module", autouse=True)
def workflows(stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", every_field("All fields"))
    stack.api("POST", "/api/workflows", greeting("For everyone", publicPlayground=True))
    stack.api("POST", "/api/workflows", greeting("For me"))


def test_every_type_of_field_is_a_control_of_its_kind(page: Page) -> None:
    page.goto("/app/playground/all-fields")

    expect(page.get_by_role("heading", level=1)).to_have_text("All fields")
    expect(page.get_by_role("textbox", name="Title")).to_be_editable()
    expect(page.get_by_role("textbox", name="Body")).to_be_editable()
    expect(page.get_by_role("textbox", name="Copies")).to_be_editable()
    expect(page.get_by_role("slider", name="Warmth")).to_have_value("4")
    expect(page.get_by_role("radiogroup", name="Tone")).to_be_visible()
    expect(page.get_by_role("radio", name="calm")).to_be_checked()
    expect(page.get_by_role("switch", name="Loud")).not_to_be_checked()
    expect(page.get_by_label("Photo")).to_have_attribute("type", "file")
    expect(page.get_by_role("textbox", name="Extra")).to_have_value('{\n  "a": 1\n}')


def test_what_is_wrong_is_told_beside_its_field_and_nothing_runs(page: Page) -> None:
    page.goto("/app/playground/all-fields")
    page.get_by_label("Copies").fill("many")
    page.get_by_label("Extra").fill("{")

    page.get_by_role("button", name="Run").click()

    for label, reason in (("Title", "needed"), ("Copies", "number"), ("Extra", "JSON")):
        field = page.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(reason))
    expect(page.get_by_label("Title")).to_be_focused()
    page.get_by_label("Title").fill("x" * 21)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("At most 20 characters; these are 21.")).to_be_visible()


def test_a_run_shows_its_result_price_and_time_and_stays_in_the_history(page: Page) -> None:
    page.goto("/app/playground/all-fields")
    page.get_by_label("Title").fill("A title")
    page.get_by_label("Copies").fill("3")
    page.get_by_role("slider", name="Warmth").press("ArrowRight")
    page.get_by_text("lively", exact=True).click()
    page.get_by_role("switch", name="Loud").check()
    expect(page.get_by_text("0 credits", exact=True)).to_be_visible()

    page.get_by_role("button", name="Run").click()

    result = page.get_by_role("region", name="Result")
    expect(result.get_by_text("Completed")).to_be_visible()
    expect(result.get_by_role("heading", name="A title")).to_be_visible()
    for value in ("3", "5", '"lively"', "true"):
        expect(result.get_by_text(value, exact=True)).to_be_visible()
    page.reload()
    page.get_by_role("region", name="Your runs").get_by_role("button").first.click()
    expect(result.get_by_role("heading", name="A title")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("A title")
    expect(page.get_by_role("switch", name="Loud")).to_be_checked()


def test_pictures_have_a_price_before_the_run_and_a_full_view_after_it(page: Page) -> None:
    page.goto("/app/playground/product-pictures")
    expect(page.get_by_text(re.compile(r"Up to \d+ credits"))).to_be_visible()

    page.get_by_role("button", name="Run").click()

    result = page.get_by_role("region", name="Result")
    expect(result.get_by_text(re.compile(r"\d+ credits"))).to_be_visible()
    expect(result.get_by_role("img")).to_have_count(3)
    result.get_by_role("button", name="View image 2").click()
    expect(page.get_by_role("dialog", name="image 2").get_by_role("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_run_that_fails_says_why(page: Page, stack: RunningStack) -> None:
    url = {"url": "http://127.0.0.1:9/", "method": "GET"}
    document = greeting("Fails")
    document["nodes"][1] = {"id": "text", "type": "httpRequest", "position": {}, "data": url}
    document["edges"] = [document["edges"][1] | {"sourceHandle": "response-out"}]
    stack.api("POST", "/api/workflows", document)
    page.goto("/app/playground/fails")

    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("alert")).to_be_visible()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_text("failed", exact=True)).to_be_visible()


def test_a_file_becomes_an_input(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "dot.png"
    picture.write_bytes(png(40, 30))
    page.goto("/app/playground/all-fields")
    page.get_by_label("Title").fill("With a photo")

    page.get_by_label("Photo").set_input_files(picture)

    expect(page.get_by_role("img", name="Photo")).to_be_visible()
    asset = page.get_by_label("Or an https address").input_value()
    assert len(asset) == 24
    expect(page.get_by_role("region", name="curl call")).to_contain_text(asset)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_file_is_taken_by_drop_and_by_paste(page: Page, way: str) -> None:
    page.goto("/app/playground/all-fields")
    address = page.get_by_label("Or an https address")

    address.evaluate(TRANSFER, {"way": way, "bytes": list(png(40, 30))})

    expect(page.get_by_role("img", name="Photo")).to_be_visible()
    assert len(address.input_value()) == 24


def test_visitors_see_a_public_workflow_and_sign_in_to_run_it(visitor: Page) -> None:
    visitor.goto("/app/playground/for-everyone")

    expect(visitor.get_by_role("heading", level=1)).to_have_text("For everyone")
    expect(visitor.get_by_label("Name")).to_have_value("Ada")
    expect(visitor.get_by_role("link", name="Sign in to run")).to_have_attribute(
        "href", "/login?next=%2Fapp%2Fplayground%2Ffor-everyone"
    )


def test_visitors_are_not_told_that_a_private_workflow_exists(
    visitor: Page, complaints: list[str]
) -> None:
    for slug in ("for-me", "never-was"):
        visitor.goto(f"/app/playground/{slug}")
        expect(visitor.get_by_role("heading", level=1)).to_have_text("There is no such workflow")
    complaints.clear()  # Chromium logs each 404
