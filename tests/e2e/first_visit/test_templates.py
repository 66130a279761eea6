"""Workflows made from templates: cards with needs, copies with usable models, a first run."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.editor import expect_toast
from tests.support.e2e.workflows import calls_model

pytestmark = pytest.mark.slow
SignIn = Callable[[str], Page]


def open_dialog(page: Page) -> Locator:
    page.goto("/")
    page.get_by_role("button", name="New workflow").first.click()
    return page.get_by_role("dialog", name="New workflow")


def card(dialog: Locator, name: str) -> Locator:
    radio = dialog.page.get_by_role("radio", name=name, exact=True)
    return dialog.locator("label").filter(has=radio)


@pytest.fixture(scope="module")
def far(stack: RunningStack) -> Iterator[None]:
    """Templates whose models are not set up; for one, another model can take its place."""
    text = calls_model("Far text", "assistant", "far-text", "prompt-in", "text-out")
    video = calls_model("Far video", "customModel", "far-video", "script-in", "video-out")
    slugs = [stack.api("POST", "/api/workflows", each)[1]["slug"] for each in (text, video)]
    yield
    for slug in slugs:
        stack.api("DELETE", f"/api/workflows/{slug}")


def test_a_workflow_is_made_from_a_template_and_run_in_the_playground(page: Page) -> None:
    dialog = open_dialog(page)
    template = card(dialog, "Translation of a list")
    expect(template).to_contain_text("GPT-6 Luna (made-up answers)")
    expect(template.locator("svg")).to_be_visible()

    template.click()
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Translation of a list")
    expect(page).to_have_url("/app/editor/translation-of-a-list-2")
    page.goto("/app/playground/translation-of-a-list-2")
    page.get_by_label("Into").fill("Polish")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("region", name="Result")).to_contain_text("(stub, in Polish)")


def test_a_copy_of_a_template_brings_the_workflow_along_that_it_calls(sign_in_as: SignIn) -> None:
    page = sign_in_as("pro")
    dialog = open_dialog(page)

    card(dialog, "Meeting report").click()
    dialog.get_by_role("button", name="Create").click()

    expect_toast(page, re.compile("It calls summary-of-a-text.*, copied with it"))
    expect(page.get_by_role("article", name="Sub-workflow summary")).to_contain_text(
        "Summary of a text"
    )


def test_templates_stand_apart_from_workflows(page: Page) -> None:
    page.goto("/")
    own = page.get_by_role("article", name="Page watch")
    expect(page.get_by_role("article", name="Greeting letter")).to_be_visible()
    expect(own).to_have_count(0)

    page.get_by_role("button", name="Templates (").click()

    expect(own).to_be_visible()
    expect(page.get_by_role("article", name="Greeting letter")).to_have_count(0)


@pytest.mark.usefixtures("far")
def test_a_template_whose_models_are_missing_says_what_to_do(page: Page) -> None:
    dialog = open_dialog(page)

    missing = card(dialog, "Far video")

    expect(missing.get_by_role("radio")).to_be_disabled()
    expect(missing).to_contain_text("set UNSET_KEY and start the workers again")
    expect(dialog.get_by_text("headrace up --demo-provider")).to_be_visible()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        assert violations(page) == [], theme


@pytest.mark.usefixtures("far")
def test_a_model_that_is_set_up_takes_the_place_of_one_that_is_not(
    page: Page, stack: RunningStack
) -> None:
    dialog = open_dialog(page)
    template = card(dialog, "Far text")
    expect(template).to_contain_text("A model that runs here, as A model is not set up")

    template.click()
    dialog.get_by_label("Name").fill("Nearer")
    dialog.get_by_role("button", name="Create").click()
    expect(page).to_have_url("/app/editor/nearer")

    _, made = stack.api("GET", "/api/workflows/nearer")
    assert [node["data"].get("model") for node in made["nodes"]] == [None, "local-text", None]
    status, answer = stack.api("POST", "/api/workflows/nearer/run", {"inputs": {"about": "Hi"}})
    assert (status, answer["result"]) == (200, {"text": "(stub) Hi"})
