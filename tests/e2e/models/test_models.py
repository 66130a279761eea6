"""The list of models and the page of one, for everyone with a session."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage, SignIn

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}


def test_the_list_says_what_each_model_costs_and_lacks(page: Page) -> None:
    page.goto("/app/models")

    echo = page.get_by_role("row", name="echo")
    expect(echo).to_contain_text("credits for a call")
    expect(echo).to_contain_text("Ready")
    expect(page.get_by_role("row", name="far-text")).to_contain_text("Needs UNSET_KEY")
    expect(page.get_by_role("row", name="gpt-mini")).to_contain_text("Demo")


def test_the_list_is_searched_and_the_address_keeps_it(page: Page) -> None:
    page.goto("/app/models")
    rows = page.get_by_role("row").filter(has=page.get_by_role("link"))

    page.get_by_text("Video", exact=True).first.click()
    page.get_by_role("checkbox", name="Ready to run").check()
    expect(page.get_by_role("link", name="Kling")).to_be_visible()
    expect(page.get_by_text("far-video")).to_have_count(0)
    page.get_by_label("Search models").fill("seed")
    expect(rows).to_have_count(1)
    page.reload()

    expect(rows).to_have_count(1)
    expect(page.get_by_role("radio", name="Video")).to_be_checked()
    page.get_by_label("Search models").fill("nothing like this")
    page.get_by_role("button", name="Show all models").click()
    expect(page.get_by_role("link", name="Echo")).to_be_visible()


def test_the_page_of_a_model_says_how_to_call_it(page: Page) -> None:
    page.goto("/app/models")
    page.get_by_role("link", name="Kling").click()

    expect(page.get_by_role("row", name="duration")).to_contain_text("5 to 10; in steps of 5")
    expect(page.get_by_role("row", name="second 0.07")).to_contain_text("84")
    expect(page.get_by_text("Accounts of the tier Pro and up")).to_be_visible()
    code = page.get_by_label("curl call")
    expect(code).to_contain_text("/api/models/kling/run'")
    expect(code).to_contain_text('"prompt": ')


def test_an_account_that_is_no_admin_reads_and_tries(sign_in_as: SignIn) -> None:
    page = sign_in_as("free")
    page.goto("/app/models")
    expect(page.get_by_role("row", name="seedream")).to_contain_text("Needs Creator")
    expect(page.get_by_role("button", name="New model")).to_have_count(0)
    page.get_by_role("link", name="Echo").click()
    expect(page.get_by_role("tab")).to_have_text(
        ["Overview", "Try", "curl", "Python", "TypeScript"]
    )

    page.get_by_role("tab", name="Try").click()
    page.get_by_label("Prompt").fill("Good morning")
    page.get_by_role("button", name="Try it").click()

    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Good morning")
    expect(answer).to_contain_text("credits")


def test_a_name_of_no_model_is_told(page: Page) -> None:
    page.goto("/app/models/no-such-model")

    expect(page.get_by_role("heading", level=1)).to_have_text("There is no model ‘no-such-model’")
    page.get_by_role("link", name="See all models").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")


def test_a_try_shows_answer_price_and_time(page: Page) -> None:
    page.goto("/app/models/gpt-mini?tab=try")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("This is needed.")).to_be_visible()

    page.get_by_label("Prompt").fill("Name a colour")
    page.get_by_role("button", name="Try it").click()

    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("(stub) Name a colour")
    expect(answer).to_contain_text("1 credit")
    expect(answer).to_contain_text("Demo")
    answer.get_by_role("link", name="Open the run").click()
    expect(page.get_by_text("Name a colour").first).to_be_visible()


def test_a_try_shows_a_picture(page: Page) -> None:
    page.goto("/app/models/painter?tab=try")

    page.get_by_label("prompt").fill("A blue kettle")
    page.get_by_role("button", name="Try it").click()

    picture = page.get_by_role("region", name="Answer").get_by_role("img")
    expect(picture).to_be_visible()
    page.get_by_text("Request to the provider").click()
    request = page.get_by_role("region", name="Request to the provider")
    expect(request).to_contain_text("POST ${PROVIDER_URL:-http://127.0.0.1:9}/predictions")
    expect(request).to_contain_text("Authorization: Bearer •••")
    expect(request).to_contain_text('"prompt": "A blue kettle"')
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0


def test_a_try_that_fails_has_the_providers_own_words(page: Page) -> None:
    page.goto("/app/models/gpt-mini?tab=try")

    page.get_by_label("Prompt").fill("Hello [[stub fail=401]]")
    page.get_by_role("button", name="Try it").click()

    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_role("alert")).to_contain_text("PROVIDER_REJECTED")
    expect(answer.get_by_role("alert")).to_contain_text("(stub) Status 401, as asked.")
    expect(answer).to_contain_text("nothing was charged")


def test_a_try_without_a_key_names_the_variable_and_shows_no_value(page: Page) -> None:
    page.goto("/app/models/far-text?tab=try")

    page.get_by_label("prompt").fill("Hello")
    page.get_by_role("button", name="Try it").click()

    alert = page.get_by_role("region", name="Answer").get_by_role("alert")
    expect(alert).to_contain_text("UNSET_KEY")


@pytest.mark.parametrize("path", ["", "/kling", "/kling?tab=try", "/kling?tab=manifest"])
def test_nothing_scrolls_sideways_on_a_phone(
    make_page: MakePage, signed_in: object, path: str
) -> None:
    page = make_page(signed_in, viewport=PHONE)

    page.goto(f"/app/models{path}")
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_load_state("networkidle")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
