"""The dashboard: keys, their webhooks and deliveries."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from deploy.net.http_client import call
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.receiver import receiving

pytestmark = pytest.mark.slow
PRESETS = ["Read-only", "Workflow Deploy", "Webhook receiver", "Full deploy", "Run with webhooks"]


@pytest.fixture
def receiver() -> Iterator[str]:
    """Address of a server that takes every event."""
    with receiving() as received:
        yield received.url


def create(page: Page, name: str, preset: str) -> str:
    """Create a key in the dashboard; return its secret."""
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("radio", name=preset).check()
    page.get_by_role("dialog").get_by_role("button", name="Create", exact=True).click()
    secret = page.get_by_role("region", name="The new key").inner_text()
    page.get_by_role("button", name="Done").click()
    return secret


def choose_key(page: Page, name: str) -> None:
    """Show the webhook of a key."""
    key_id = page.locator("option", has_text=name).get_attribute("value")
    page.get_by_label("Key", exact=True).select_option(key_id)


def test_a_key_is_made_shown_once_and_revoked(page: Page, stack: RunningStack) -> None:
    page.goto("/app/settings/api-keys")
    expect(page).to_have_url("/app/api/keys")

    secret = create(page, "Website", "Workflow Deploy")

    row = page.get_by_role("row", name="Website")
    expect(row).to_contain_text(secret[-4:])
    expect(row).to_contain_text("workflow:run")
    expect(row).to_contain_text("Never")
    assert secret not in page.content()
    assert call("GET", f"{stack.url}/api/whoami", key=secret)[0] == 200
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(row).to_have_count(0)
    assert call("GET", f"{stack.url}/api/whoami", key=secret)[0] == 401


def test_the_presets_are_those_of_the_contract_and_a_name_is_needed(page: Page) -> None:
    page.goto("/app/api/keys")
    page.get_by_role("button", name="Create key").click()
    dialog = page.get_by_role("dialog", name="Create key")

    for preset in [*PRESETS, "Custom"]:
        expect(dialog.get_by_role("radio", name=preset)).to_be_enabled()
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_key_is_renamed_and_expires(page: Page) -> None:
    page.goto("/app/api/keys")
    create(page, "Old name", "Read-only")
    row = page.get_by_role("row", name="Old name")
    expect(row.get_by_text("Never")).to_have_count(2)

    row.get_by_role("button", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("New name")
    page.get_by_label("Expires").select_option("In 30 days")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("row", name="New name")).to_contain_text(re.compile("in (29|30)"))


def test_a_key_for_one_workflow_is_picked(page: Page) -> None:
    page.goto("/app/api/keys")
    page.get_by_role("button", name="Create key").click()
    page.get_by_label("Name").fill("One workflow")
    page.get_by_role("radio", name="Custom").check()
    page.get_by_role("checkbox", name="Greeting letter").check()
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("button", name="Done").click()

    expect(page.get_by_role("row", name="One workflow")).to_contain_text(
        "workflow:greeting-letter:run"
    )


def test_a_webhook_is_saved_tested_and_its_delivery_seen_and_repeated(
    page: Page, receiver: str
) -> None:
    page.goto("/app/api/keys")
    create(page, "With a webhook", "Run with webhooks")
    page.get_by_role("tab", name="Webhook").click()
    choose_key(page, "With a webhook")
    page.get_by_label("URL").fill(receiver)

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Secret of the webhook")).to_contain_text("whsec_")
    page.get_by_role("button", name="Send test").click()

    deliveries = page.get_by_role("region", name="Deliveries")
    expect(deliveries.get_by_text("webhook.test")).to_be_visible()
    expect(deliveries.get_by_text("Delivered")).to_be_visible()
    deliveries.get_by_text("webhook.test").click()
    expect(deliveries.get_by_text("thanks")).to_be_visible()
    deliveries.get_by_role("button", name="Redeliver").click()
    expect(deliveries.get_by_text("Attempt 2")).to_be_visible()


def test_the_events_of_a_webhook_are_chosen_and_kept(page: Page, receiver: str) -> None:
    page.goto("/app/api/keys")
    create(page, "With events", "Run with webhooks")
    page.goto("/app/api/keys?tab=webhook")
    choose_key(page, "With events")
    page.get_by_label("URL").fill(receiver)
    expect(page.get_by_role("checkbox", name="execution.completed")).to_be_checked()
    page.get_by_role("checkbox", name="execution.waiting").check()
    page.get_by_role("checkbox", name="node.finished").check()
    page.get_by_role("checkbox", name="execution.cancelled").uncheck()

    page.get_by_role("button", name="Save").click()
    page.get_by_role("region", name="Secret of the webhook").wait_for()
    page.reload()

    expect(page.get_by_role("checkbox", name="execution.waiting")).to_be_checked()
    expect(page.get_by_role("checkbox", name="node.finished")).to_be_checked()
    expect(page.get_by_role("checkbox", name="execution.completed")).to_be_checked()
    expect(page.get_by_role("checkbox", name="execution.cancelled")).not_to_be_checked()
