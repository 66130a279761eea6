"""The first minutes: steps on the home page, and the tour of the editor."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations

pytestmark = pytest.mark.slow


@pytest.fixture
def newcomer(make_page: MakePage, stack: RunningStack) -> Page:
    """A page of an account that has nothing yet."""
    email = "newcomer@example.com"
    created = stack.command("account", "create", "--email", email, "--tier", "pro", "--json")
    assert created.returncode == 0, created.stderr
    page = make_page()
    account = created.stdout.split('"id": "')[1].split('"')[0]
    page.goto(stack.command("login-link", "--account", account).stdout.split()[0])
    return page


def test_the_first_steps_lead_to_an_empty_canvas_and_its_tour(newcomer: Page) -> None:
    newcomer.goto("/")
    steps = newcomer.get_by_role("region", name="First steps")
    expect(steps.get_by_role("listitem")).to_have_count(5)
    assert violations(newcomer) == []

    steps.get_by_role("button", name="New workflow").click()
    newcomer.get_by_label("Name").fill("My first")
    newcomer.get_by_role("radio", name="An empty canvas").check()
    newcomer.get_by_role("button", name="Create", exact=True).click()
    expect(newcomer.get_by_text("Drag a node here")).to_be_visible()

    newcomer.get_by_role("button", name="Take the tour").click()
    for title in ("Add nodes", "Wire them", "Mend problems", "Run it"):
        expect(newcomer.get_by_role("dialog", name=title)).to_be_visible()
        assert violations(newcomer) == []
        newcomer.get_by_role("button", name="Next").click()
    newcomer.get_by_role("button", name="Back").click()
    newcomer.keyboard.press("Escape")
    expect(newcomer.get_by_role("dialog")).to_have_count(0)

    newcomer.reload()
    expect(newcomer.get_by_text("Drag a node here")).to_be_visible()
    expect(newcomer.get_by_role("button", name="Take the tour")).to_have_count(0)
    newcomer.goto("/")
    expect(steps.get_by_role("heading", name="Draw (done)")).to_be_visible()
    steps.get_by_role("button", name="Hide").click()
    expect(steps).to_have_count(0)
