"""The settings: the account, its secrets and its signed-in browsers."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking

pytestmark = pytest.mark.slow
VALUE = "sk_live_canary_of_the_settings"


def test_a_secret_is_saved_used_and_never_shown_again(page: Page, stack: RunningStack) -> None:
    page.goto("/app/settings?tab=secrets")
    page.get_by_label("Secret name").fill("shop_key")
    page.get_by_label("Value").fill(VALUE)
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="SHOP_KEY")
    expect(row).to_contain_text("nothing")

    call = {"url": "https://example.com", "auth": {"type": "bearer", "secret": "SHOP_KEY"}}
    nodes = [
        {"id": "call", "type": "httpRequest", "position": {"x": 0, "y": 0}, "data": call},
        {"id": "result", "type": "responseOutput", "position": {"x": 320, "y": 0}, "data": {}},
    ]
    edge = {"id": "wire", "source": "call", "sourceHandle": "response-out"}
    edges = [edge | {"target": "result", "targetHandle": "result-in"}]
    stack.api("POST", "/api/workflows", {"name": "Shop call", "nodes": nodes, "edges": edges})
    verify = {"kind": "bearer", "secret": "SHOP_KEY"}
    trigger = {"kind": "webhook", "name": "Orders", "workflowSlug": "shop-call", "verify": verify}
    stack.api("POST", "/api/triggers", trigger)
    page.reload()

    expect(row.get_by_role("link", name="shop-call")).to_be_visible()
    expect(row.get_by_role("link", name="Orders")).to_be_visible()
    assert VALUE not in page.content()
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("One workflow uses it")
    expect(page.get_by_role("dialog")).to_contain_text("One inbound webhook verifies events")
    page.get_by_role("button", name="Delete secret").click()
    expect(row).to_have_count(0)


def test_hosts_of_a_secret_are_set_kept_and_taken_away(page: Page, complaints: list[str]) -> None:
    page.goto("/app/settings?tab=secrets")
    row = page.get_by_role("row", name="HOST_KEY")
    name, value = page.get_by_label("Secret name"), page.get_by_label("Value")
    hosts, save = page.get_by_label("Only sent to"), page.get_by_role("button", name="Save")

    name.fill("HOST_KEY")
    value.fill(VALUE)
    hosts.fill("https://api.example.com")
    save.click()
    expect(page.get_by_text("without scheme, port and path")).to_be_visible()
    complaints[:] = [each for each in complaints if "400" not in each]
    hosts.fill("API.example.com, *.shop.example")
    save.click()
    expect(row).to_contain_text("api.example.com, *.shop.example")

    row.get_by_role("button", name="Replace").click()
    expect(hosts).to_have_value("api.example.com, *.shop.example")
    hosts.fill("")
    value.fill(VALUE)
    save.click()
    expect(row).to_contain_text("any host")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete secret").click()
    expect(row).to_have_count(0)


def test_a_wrong_secret_is_refused_beside_its_field(page: Page) -> None:
    page.goto("/app/settings?tab=secrets")
    page.get_by_label("Secret name").fill("9-lives")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("a letter first")).to_be_visible()
    expect(page.get_by_text("Paste the key or password.")).to_be_visible()
    page.get_by_label("Value").fill("1234567")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("at least 8 characters")).to_be_visible()


def test_another_browser_is_signed_out(
    page: Page, make_page: MakePage, sign_in_link: Callable[[], str]
) -> None:
    other = make_page(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    other.goto(sign_in_link())
    other.goto("about:blank")  # a page that is open would complain of its refused calls
    page.goto("/app/settings?tab=sessions")
    expect(page.get_by_text("This one")).to_have_count(1)

    row = page.get_by_role("row", name="Firefox on Linux")
    row.get_by_role("button", name="Sign out").click()

    expect(row).to_have_count(0)
    other.goto("/app/settings")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_account_shows_its_credits_and_limits(page: Page, stack: RunningStack) -> None:
    page.goto("/app/settings")

    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("demo@localhost")
    expect(panel).to_contain_text("credits")


def test_the_ledger_leads_to_executions_and_back(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", asking("Paid", "gpt", "text-out", "Say hello"))
    _, answer = stack.api("POST", "/api/workflows/paid/run?timeout=30", {"inputs": {}})
    execution_id = answer["executionId"]
    page.goto("/app/settings?tab=ledger")
    rows = page.get_by_role("table", name="Ledger").get_by_role("row")

    page.get_by_label("Kind").select_option("reserve")
    expect(rows.filter(has_text="capture")).to_have_count(0)
    page.get_by_label("Time", exact=True).select_option("Last hour")
    expect(page).to_have_url(re.compile("kind=reserve&range=1h"))
    rows.get_by_role("link", name=execution_id[:8]).click()

    expect(page.get_by_role("tab", name="Credits")).to_have_attribute("aria-selected", "true")
    expect(rows.filter(has_text="capture")).to_have_count(1)
    page.get_by_role("link", name="All movements of the account").click()
    expect(rows.filter(has_text="allowance")).to_have_count(1)
