"""The manifest of a model as a form and as TOML, for admins."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.e2e.models import (
    COMMENT,
    commented,
    form,
    open_manifest,
    problems,
    save,
    toml,
    unused_name,
)

pytestmark = pytest.mark.slow
TEMPLATES = (
    "Chat by OpenAI's protocol",
    "Text by HTTP",
    "Image by HTTP",
    "Video by a job",
    "Audio by a job",
    "Transcripts by OpenAI's protocol",
)


@pytest.fixture
def name(page: Page) -> str:
    """A saved model."""
    name = unused_name()
    save(page, commented(name))
    return name


def begin(page: Page, start: str) -> None:
    """Begin a new model."""
    page.goto("/app/models")
    page.get_by_role("button", name="New model").click()
    page.get_by_role("radio", name=start).check()
    page.get_by_role("button", name="Continue").click()


def test_a_change_of_the_form_changes_its_line_alone(page: Page, name: str) -> None:
    area = open_manifest(page, name)
    before = area.input_value()

    form(page).get_by_label("Name", exact=True).fill("Renamed")
    form(page).get_by_label("USD", exact=True).fill("0.25")

    after = area.input_value()
    changed = zip(before.split("\n"), after.split("\n"), strict=True)
    assert [new for old, new in changed if old != new] == ['name = "Renamed"', 'usd   =   "0.25"']
    assert COMMENT in after


def test_a_change_of_the_toml_changes_the_form(page: Page, name: str) -> None:
    area = open_manifest(page, name)

    area.fill(area.input_value().replace('"A model"', '"By hand"').replace("free", "pro"))

    expect(form(page).get_by_label("Name", exact=True)).to_have_value("By hand")
    expect(form(page).get_by_label("Tier")).to_have_value("pro")
    expect(page.get_by_text("No problems")).to_be_visible()


def test_fields_are_added_changed_and_removed(page: Page, name: str) -> None:
    area = open_manifest(page, name)

    form(page).get_by_label("Type of the new field").select_option("number")
    form(page).get_by_role("button", name="Add a field").click()
    form(page).get_by_label("Label").last.fill("How many")
    form(page).get_by_label("Maximum").fill("5")
    expect(area).to_have_value(
        re.compile(r'name = "field"\ntype = "number"\nlabel = "How many"\nmax = 5\n')
    )
    expect(page.get_by_text("No problems")).to_be_visible()

    form(page).get_by_role("button", name="Remove field field", exact=True).click()
    expect(area).not_to_have_value(re.compile('"field"'))
    page.get_by_role("button", name="Undo").click()
    expect(area).to_have_value(re.compile('"field"'))


def test_all_fields_and_prices_are_removed_and_begun_anew(page: Page, name: str) -> None:
    area = open_manifest(page, name)

    form(page).get_by_role("button", name="Remove field prompt").click()
    form(page).get_by_role("button", name="Remove the price for each call").click()
    expect(area).not_to_have_value(re.compile("fields|pricing"))
    form(page).get_by_role("button", name="Add a price").click()
    form(page).get_by_role("button", name="Add a field").click()
    form(page).get_by_label("Name", exact=True).last.fill("prompt")

    expect(page.get_by_text("No problems")).to_be_visible()
    expect(area).to_have_value(re.compile(r"\[\[pricing\]\]\n(.*\n)*\[\[fields\]\]\n"))


def test_problems_stand_at_their_lines_and_at_their_fields(page: Page, name: str) -> None:
    area = open_manifest(page, name)

    area.fill(area.input_value().replace('"free"', '"rich"').replace("   =   ", " = 3 # "))

    expect(problems(page).get_by_role("button")).to_have_count(2)
    tier = form(page).get_by_label("Tier")
    expect(tier).to_have_attribute("aria-invalid", "true")
    expect(form(page).get_by_text("tier must be one of")).to_be_visible()
    problems(page).get_by_role("button", name="tier must be").click()
    expect(area).to_be_focused()
    chosen = "(area) => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert area.evaluate(chosen) == 'tier = "rich"'

    tier.select_option("pro")
    expect(problems(page).get_by_role("button")).to_have_count(1)


def test_a_text_that_is_not_toml_keeps_the_form_waiting(page: Page, name: str) -> None:
    area = open_manifest(page, name)
    text = area.input_value()

    area.fill(text.replace("tier =", "tier"))

    expect(problems(page)).to_contain_text("this is not TOML")
    expect(form(page).get_by_label("Name", exact=True)).to_be_disabled()
    expect(form(page).get_by_label("Name", exact=True)).to_have_value("A model")
    area.fill(text)
    expect(form(page).get_by_label("Name", exact=True)).to_be_enabled()


def test_the_call_is_switched_to_another_protocol(page: Page, name: str) -> None:
    area = open_manifest(page, name)

    form(page).get_by_label("How it is called").select_option("http")
    form(page).get_by_label("Base URL", exact=True).fill("https://models.example.com")
    form(page).get_by_label("Body", exact=True).fill('{"text": "{{ prompt }}", "size": {"x": 4}}')
    form(page).get_by_role("switch", name="It is a job").check()

    expect(page.get_by_text("No problems")).to_be_visible()
    expect(area).to_have_value(re.compile(r'base_url = "https://models\.example\.com"'))
    expect(area).to_have_value(re.compile(r"\[http\.job\]|job = \{"))
    expect(area).not_to_have_value(re.compile("builtin"))


@pytest.mark.parametrize("start", TEMPLATES)
def test_every_template_is_right_as_it_is(page: Page, start: str) -> None:
    begin(page, start)

    expect(page.get_by_text("No problems")).to_be_visible()


def test_a_new_model_is_saved_tried_and_deleted(page: Page) -> None:
    name = unused_name()
    begin(page, "A copy of a model")
    page.goto("/app/models?new=copy:echo")
    expect(toml(page)).to_have_value(re.compile('internalName = "echo-copy"'))
    form(page).get_by_label("Internal name").fill(name)
    form(page).get_by_label("Name", exact=True).fill("My echo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved version 1 of My echo")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("My echo")

    page.get_by_role("tab", name="Try").click()
    page.get_by_label("Prompt").fill("It speaks")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("It speaks")

    page.get_by_role("tab", name="Manifest").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete model").click()
    expect(page.get_by_text(f"Deleted {name}")).to_be_visible()
    expect(page.get_by_role("link", name="Echo").first).to_be_visible()
    expect(page.get_by_role("link", name="My echo")).to_have_count(0)


def test_a_save_that_is_refused_shows_the_problems(page: Page, complaints: list[str]) -> None:
    begin(page, "Text by HTTP")
    expect(page.get_by_text("No problems")).to_be_visible()
    form(page).get_by_label("Internal name").fill("echo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved version")).to_be_visible()

    begin(page, "Text by HTTP")
    form(page).get_by_label("Internal name").fill("echo")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("is saved already")
    origin = page.evaluate("location.origin")
    assert page.request.delete("/api/models/echo", headers={"origin": origin}).ok
    complaints[:] = [each for each in complaints if "400" not in each]


def test_a_former_version_is_compared_and_restored(page: Page, name: str) -> None:
    save(page, commented(name, "Second"), name)
    page.goto(f"/app/models/{name}?tab=versions")

    difference = page.get_by_role("list", name="Difference by line")
    expect(difference).to_contain_text('removed: name = "A model"')
    expect(difference).to_contain_text('added: name = "Second"')
    page.get_by_role("button", name="Restore version 1").click()

    expect(page.get_by_text("Version 1 counts again, as version 3")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("A model")
    expect(page.get_by_role("button", name="Version 3")).to_contain_text("Counts now")


def test_what_another_has_saved_meanwhile_is_not_lost(
    page: Page, name: str, complaints: list[str]
) -> None:
    open_manifest(page, name)
    form(page).get_by_label("Name", exact=True).fill("Mine")
    save(page, commented(name, "Theirs"), name)

    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Version 2 was saved meanwhile")
    expect(dialog).to_contain_text('removed: name = "Theirs"')
    dialog.get_by_role("button", name="Save mine over it").click()

    expect(page.get_by_text("Saved version 3 of Mine")).to_be_visible()
    complaints[:] = [each for each in complaints if "412" not in each]


def test_changes_that_are_not_saved_outlive_the_page(page: Page, name: str) -> None:
    area = open_manifest(page, name)
    form(page).get_by_label("Name", exact=True).fill("Half done")
    page.get_by_role("link", name="Usage").click()

    open_manifest(page, name)
    expect(form(page).get_by_label("Name", exact=True)).to_have_value("Half done")
    expect(page.get_by_text("Not saved")).to_be_visible()
    page.get_by_role("button", name="Discard changes").click()
    expect(area).to_have_value(re.compile('name = "A model"'))
    expect(page.get_by_text("All changes saved")).to_be_visible()


def test_a_model_that_ships_is_overridden_and_comes_back(page: Page) -> None:
    open_manifest(page, "local-embedding")
    expect(page.get_by_text("This model ships with Headrace.")).to_be_visible()
    form(page).get_by_label("Name", exact=True).fill("Ours")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved version 1 of Ours")).to_be_visible()

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete model").click()
    expect(page.get_by_text("Deleted local-embedding")).to_be_visible()

    page.goto("/app/models/local-embedding")
    expect(page.get_by_text("Ships with Headrace")).to_be_visible()


def test_a_model_is_changed_by_keyboard_alone(page: Page, name: str) -> None:
    page.goto(f"/app/models/{name}")
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    field = form(page).get_by_label("Name", exact=True)
    field.wait_for()
    for _ in range(40):
        if field.evaluate("(input) => input === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("Typed")
    page.keyboard.press("ControlOrMeta+Z")
    expect(field).to_have_value("A model")
    page.keyboard.press("ControlOrMeta+Shift+Z")
    page.keyboard.press("ControlOrMeta+S")

    expect(page.get_by_text("Saved version 2 of Typed")).to_be_visible()


def test_on_a_phone_form_and_toml_take_turns(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/app/models/{name}?tab=manifest")
    expect(form(page)).to_be_visible()
    expect(toml(page)).to_be_hidden()

    form(page).get_by_label("Tier").select_option("pro")
    page.get_by_text("TOML", exact=True).click()

    expect(toml(page)).to_have_value(re.compile('tier = "pro"'))
    toml(page).fill(toml(page).input_value().replace('"pro"', '"rich"'))
    page.get_by_text("Form", exact=True).click()
    page.get_by_role("button", name="1 problem").click()
    expect(toml(page)).to_be_focused()
