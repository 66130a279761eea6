"""The administration: accounts, the audit log and the state of the installation."""

import os
import signal
from uuid import uuid4

import pytest
import redis
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.workflows import greeting

pytestmark = pytest.mark.slow
PATIENCE_MS = 60_000


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


def test_the_state_of_the_installation_is_shown(page: Page) -> None:
    page.goto("/app/admin?tab=installation")

    expect(page.get_by_text("All parts of this installation work")).to_be_visible()
    worker = page.get_by_role("table", name="Workers").get_by_role("row").nth(1)
    expect(worker).to_contain_text("alive")
    expect(worker).to_contain_text("MB of")
    expect(page.get_by_role("table", name="Queues").get_by_role("row")).to_have_count(4)
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("Archived up to")
    expect(history).to_contain_text("Behind by")


def test_a_stopped_worker_and_its_waiting_work_are_told(page: Page, stack: RunningStack) -> None:
    [worker] = stack.part("worker")
    page.goto("/app/admin?tab=installation")
    os.kill(worker, signal.SIGSTOP)
    try:
        # Until its last wait for work has run out, work is handed to it.
        with redis.Redis.from_url(stack.redis_url) as client:
            until(lambda: client.info("clients")["blocked_clients"], lambda left: left == 0)
        stack.api("POST", "/api/workflows", greeting("Stuck"))
        stack.api("POST", "/api/workflows/stuck/run?async=true", {"inputs": {}})

        expect(page.get_by_role("heading", name="No worker is alive")).to_be_visible(
            timeout=PATIENCE_MS
        )
        expect(page.get_by_role("heading", name="Degraded: hints")).to_be_visible(
            timeout=PATIENCE_MS
        )
        walk = page.get_by_role("row", name="Executions walk")
        expect(walk.get_by_role("cell").first).to_have_text("1")
    finally:
        os.kill(worker, signal.SIGCONT)
    expect(page.get_by_text("All parts of this installation work")).to_be_visible(
        timeout=PATIENCE_MS
    )
