"""The first minutes with a stack as `make run` starts it, where no model is set up."""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.stack.location import read_private
from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running
from tests.support.e2e.axe import violations

pytestmark = pytest.mark.slow
STEPS = ("Run", "Draw", "Publish", "Make a key", "Call it")


@pytest.fixture(scope="module")
def plain_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack without models or made-up answers."""
    with running(tmp_path_factory.mktemp("plain"), *ONE_WORKER) as stack:
        stack.line("Stop ")
        yield stack


@pytest.fixture
def stack(plain_stack: RunningStack) -> RunningStack:
    return plain_stack


@pytest.fixture
def page(make_page: MakePage, stack: RunningStack) -> Page:
    """A page of the account that a new stack begins with."""
    page = make_page()
    account = read_private(stack.data_dir / "demo.json")["accountId"]
    page.goto(stack.command("login-link", "--account", account).stdout.split()[0])
    return page


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def test_examples_that_cannot_run_say_so_and_stand_last(page: Page) -> None:
    page.goto("/")
    page.get_by_role("article").last.scroll_into_view_if_needed()

    for name in ("Product sheet", "Product pictures"):
        expect(card(page, name)).to_contain_text("Needs a model")
        expect(card(page, name).get_by_text("Live", exact=True)).to_have_count(0)
    expect(card(page, "Product sheet")).to_contain_text("make run LOCAL=1")
    expect(card(page, "Product pictures")).to_contain_text("set OPENAI_API_KEY")
    expect(card(page, "Price quote")).to_contain_text("Live")
    headings = page.get_by_role("article").get_by_role("heading").all_inner_texts()
    assert headings[0] == "Greeting letter"
    assert set(headings[-2:]) == {"Product sheet", "Product pictures"}
    assert violations(page) == []


def test_the_checklist_and_the_form_say_what_is_missing_before_the_run(page: Page) -> None:
    page.add_init_script("localStorage.setItem('headrace-tour', 'taken')")
    page.goto("/app/editor/product-sheet")

    page.get_by_role("button", name="Needs a model").click()
    expect(page.get_by_role("region", name="Checklist")).to_contain_text("make run LOCAL=1")
    page.get_by_role("button", name="Run", exact=True).click()
    panel = page.get_by_role("region", name="Run")
    expect(panel).to_contain_text("make run LOCAL=1")
    assert violations(page) == []
    panel.get_by_role("button", name="Run the draft").click()
    expect(panel.get_by_role("region", name="Result")).to_contain_text("failed")

    page.goto("/")
    steps = page.get_by_role("region", name="First steps")
    expect(steps.get_by_role("heading", name="Run", exact=True)).to_be_visible()


def test_the_first_steps_are_ticked_one_by_one_by_what_succeeds(
    page: Page, stack: RunningStack
) -> None:
    page.goto("/")
    steps = page.get_by_role("region", name="First steps")
    expect(steps.get_by_role("heading")).to_have_text(["First steps", *STEPS])

    steps.get_by_role("link", name="Go on").click()
    expect(page).to_have_url("/app/editor/greeting-letter?panel=run")
    page.get_by_role("button", name="Run the draft").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("Dear Ada")
    go_home(page, steps, done=1)

    steps.get_by_role("button", name="New workflow").click()
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("article", name="Response Output result").wait_for()
    go_home(page, steps, done=3)

    steps.get_by_role("link", name="Go on").click()
    page.get_by_role("button", name="Create key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Mine")
    dialog.get_by_role("button", name="Create", exact=True).click()
    key = page.get_by_role("region", name="The new key").inner_text()
    page.get_by_role("button", name="Done").click()
    go_home(page, steps, done=4)

    steps.get_by_role("link", name="Go on").click()
    expect(page).to_have_url("/app/playground/mine")
    code = page.locator("pre code").inner_text()
    environ = {**os.environ, "HEADRACE_API_KEY": key}
    refused = code.replace("playground", "").replace("/mine/", "/never-was/")
    subprocess.run(["bash", "-c", refused], env=environ, check=True, capture_output=True)
    go_home(page, steps, done=4)
    call = subprocess.run(["bash", "-c", code], env=environ, check=True, capture_output=True)
    assert json.loads(call.stdout)["success"] is True
    go_home(page, steps, done=5)
    steps.get_by_role("button", name="All done: close").click()
    page.reload()
    page.get_by_role("article").first.wait_for()
    expect(steps).to_have_count(0)


def go_home(page: Page, steps: Locator, *, done: int) -> None:
    """Return to the home page, where so many steps are done."""
    page.get_by_role("link", name="Workflows").first.click()
    expect(steps.get_by_role("heading", name="(done)")).to_have_count(done)
