"""Models chosen in the settings of nodes."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.node_settings import await_settings, node, open_settings, save_draft

pytestmark = pytest.mark.slow


def test_models_of_the_fitting_kind_are_found_with_price_and_tier(
    page: Page, stack: RunningStack
) -> None:
    slug = save_draft(stack, "Models", [node("image", "imageGenerator")])
    panel = open_settings(page, slug, "image")

    model = panel.get_by_role("combobox", name="Model")
    model.click()
    choices = panel.get_by_role("listbox", name="Choices").get_by_role("option")
    expect(choices.filter(has_text="Claude")).to_have_count(0)
    expect(choices.filter(has_text="Nano Banana")).to_contain_text("40.3 credits for an image")
    expect(choices.filter(has_text="Nano Banana")).to_contain_text("Demo")

    model.fill("seedream")
    expect(choices).to_have_count(1)
    model.press("Enter")
    await_settings(stack, slug, "image", {"model": "seedream"})
    expect(model).to_have_value("Seedream 4.5")


def test_a_changed_model_keeps_the_settings_that_it_has_and_names_others(
    page: Page, stack: RunningStack
) -> None:
    data = {"model": "nano-banana", "prompt": "A mug", "aspectRatio": "16:9", "count": 2}
    slug = save_draft(stack, "Another model", [node("image", "imageGenerator", **data)])
    panel = open_settings(page, slug, "image")

    model = panel.get_by_role("combobox", name="Model")
    model.fill("gpt-image")
    model.press("Enter")
    expect(page.get_by_text("does not take Aspect ratio (16:9): removed.")).to_be_visible()
    kept = {"prompt": "A mug", "count": 2, "model": "gpt-image"}
    await_settings(stack, slug, "image", kept)

    page.get_by_role("status").get_by_role("button", name="Undo").click()
    await_settings(stack, slug, "image", data)


def test_a_model_that_cannot_be_called_says_the_reason_and_may_be_chosen(
    page: Page, stack: RunningStack
) -> None:
    slug = save_draft(stack, "Missing", [node("model", "customModel", model="echo")])
    panel = open_settings(page, slug, "model")

    model = panel.get_by_role("combobox", name="Model")
    model.fill("local-embedding")
    expect(panel.get_by_role("listbox").get_by_role("option")).to_contain_text(
        "local-embeddings is not installed"
    )
    model.press("Enter")
    expect(panel.get_by_text("A run would fail now.")).to_be_visible()


def test_the_fields_of_a_model_are_its_settings(page: Page, stack: RunningStack) -> None:
    slug = save_draft(stack, "Fields", [node("clip", "customModel", model="kling")])
    panel = open_settings(page, slug, "clip")

    panel.get_by_label("Prompt", exact=True).fill("A mug turns")
    expect(panel.get_by_label("Seconds", exact=True)).to_have_attribute("placeholder", "5")
    panel.get_by_label("Seconds", exact=True).fill("99")
    panel.get_by_text("9:16", exact=True).click()
    expect(panel.get_by_text("must be at most 10")).to_be_visible()
    values = {"prompt": "A mug turns", "duration": 99, "aspectRatio": "9:16"}
    await_settings(stack, slug, "clip", {"model": "kling", "values": values})


def test_a_setting_that_the_model_lacks_is_told_and_removed(
    page: Page, stack: RunningStack
) -> None:
    slug = save_draft(stack, "Unused", [node("model", "assistant", model="gpt", temperature=0.5)])
    panel = open_settings(page, slug, "model")

    expect(panel.get_by_text("does not take Temperature")).to_be_visible()
    panel.get_by_role("button", name="Remove Temperature").click()
    await_settings(stack, slug, "model", {"model": "gpt"})
