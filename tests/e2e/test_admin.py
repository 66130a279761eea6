"""The administration: accounts, the audit log and the state of the installation."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack

pytestmark = pytest.mark.slow


@pytest.fixture
def email(stack: RunningStack) -> str:
    """Address of an account that nobody has approved."""
    email = f"grace-{uuid4().hex[:8]}@example.com"
    stack.command("account", "create", "--email", email, "--tier", "free", "--unapproved")
    return email


def test_an_admin_approves_moves_and_credits_an_account(page: Page, email: str) -> None:
    page.goto("/app/admin")
    page.get_by_label("Search by e-mail address").fill(email)
    row = page.get_by_role("row", name=email)

    row.get_by_role("button", name="Approve").click()
    expect(row.get_by_role("button", name="Suspend")).to_be_visible()
    row.get_by_label("Tier of").select_option("business")
    expect(page.get_by_text(f"Changed {email}").first).to_be_visible()
    row.get_by_role("button", name="Credit").click()
    page.get_by_label("Credits", exact=True).fill("250")
    page.get_by_label("Note").fill("Invoice 17")
    page.get_by_role("button", name="Add credits").click()
    expect(page.get_by_text(f"Added 250 credits to {email}")).to_be_visible()

    page.get_by_role("tab", name="Audit log").click()
    expect(page.get_by_role("row", name="account.credit").first).to_contain_text("Invoice 17")
    page.goto("/app/admin")
    expect(page.get_by_role("row", name=email).get_by_label("Tier of")).to_have_value("business")


def test_a_new_account_is_let_in_by_its_link(page: Page, make_page: MakePage) -> None:
    email = f"ada-{uuid4().hex[:8]}@example.com"
    page.goto("/app/admin")
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("E-mail address", exact=True).fill(email)
    page.get_by_role("dialog").get_by_label("Tier").select_option("pro")
    page.get_by_role("button", name="Create", exact=True).click()

    link = page.get_by_role("region", name="Login link").inner_text()
    other = make_page()
    other.goto(link)
    other.goto("/app/settings")

    expect(other.get_by_role("tabpanel")).to_contain_text(email)
    expect(other.get_by_role("link", name="Administration")).to_have_count(0)


def test_the_last_admin_keeps_the_role(page: Page, complaints: list[str]) -> None:
    page.goto("/app/admin")
    page.get_by_role("row", name="demo@localhost").get_by_label("Role of").select_option("user")

    expect(page.get_by_text("admin").filter(has_text="last")).to_be_visible()
    expect(page.get_by_role("row", name="demo@localhost").get_by_label("Role of")).to_have_value(
        "admin"
    )
    complaints[:] = [each for each in complaints if "409" not in each]


def test_the_state_of_the_installation_is_told_in_words(page: Page) -> None:
    page.goto("/app/admin?tab=installation")

    expect(page.get_by_text("All parts of this installation answer")).to_be_visible()
