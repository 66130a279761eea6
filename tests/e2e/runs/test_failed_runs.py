"""A run that failed: from the id of its webhook to the cause, the mended version and its run."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.stack.location import read_private
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.drafts import expect_saved, state
from tests.support.e2e.executions import ended, leave_to_the_history, panel, run
from tests.support.e2e.receiver import Received, receiving
from tests.support.e2e.workflows import calling

pytestmark = pytest.mark.slow


@pytest.fixture
def shop() -> Iterator[Received]:
    """The server that a node calls."""
    with receiving() as received:
        yield received


@pytest.fixture
def hook() -> Iterator[Received]:
    """The server that is told of ends."""
    with receiving() as received:
        yield received


@pytest.fixture
def key_with_webhook(page: Page, hook: Received) -> Iterator[str]:
    """Secret of a key whose ends are told to the hook; the key is revoked at last."""
    page.goto("/app/settings")
    script = """async (url) => {
        const send = async (method, path, body) => (await fetch(path, {
            method, headers: {"content-type": "application/json"}, body: JSON.stringify(body),
        })).json();
        const key = await send("POST", "/api/api-keys", {name: "Shop", capabilities: ["*"]});
        await send("PUT", `/api/api-keys/${key.id}/webhook`, {url});
        return key;
    }"""
    key = page.evaluate(script, hook.url)
    yield str(key["key"])
    page.evaluate(
        """(id) => fetch(`/api/api-keys/${id}`, {
            method: "DELETE", headers: {"content-type": "application/json"}, body: "{}",
        })""",
        key["id"],
    )


class Clicks:
    """Counts what a person does with the pointer or Enter."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, place: Locator) -> None:
        """Click, and count it."""
        place.click()
        self.count += 1

    def enter(self, page: Page) -> None:
        """Press Enter, and count it."""
        page.keyboard.press("Enter")
        self.count += 1


def test_from_the_id_of_a_failed_webhook_to_its_node_its_cost_and_its_retry(
    page: Page, stack: RunningStack, shop: Received, hook: Received, key_with_webhook: str
) -> None:
    shop.status = 500
    stack.api("POST", "/api/workflows", calling("Shop order", shop.url, attempts=2))
    failed = run(stack, "shop-order", key_with_webhook)
    ended(stack, failed)
    [delivery_id] = until(lambda: hook.ids)
    click = Clicks()
    page.goto("/")

    click(page.get_by_role("button", name="Search"))
    page.get_by_role("combobox", name="Id").fill(delivery_id)
    click.enter(page)

    expect(page.get_by_role("heading", level=1)).to_contain_text("shop-order")
    node = panel(page, "call")
    expect(node.get_by_role("region", name="Input", exact=True)).to_contain_text("Hello Grace!")
    expect(node.get_by_role("region", name="Attempts")).to_contain_text("out of order")
    expect(node.get_by_role("region", name="Attempts").get_by_role("listitem")).to_have_count(2)
    assert click.count <= 4
    nodes = page.get_by_role("table", name="Nodes in time")
    expect(nodes).to_contain_text("2 attempts")
    expect(nodes.get_by_role("row", name="call")).to_contain_text("after text")
    click(page.get_by_role("tab", name="Deliveries"))
    expect(page.get_by_role("region", name=f"Delivery {delivery_id}")).to_contain_text("delivered")
    expect(page.get_by_text("Cost").locator("..")).to_contain_text("0 credits")
    page.get_by_role("tab", name="Credits").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(re.compile("reserve|costs nothing"))

    shop.status = 200
    page.get_by_role("button", name="Retry").click()

    expect(page.get_by_text("Retry of").locator("..")).to_contain_text(failed[:8])
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    page.get_by_role("link", name=failed[:8]).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("failed")


def test_the_cause_is_mended_in_the_editor_and_the_same_inputs_run_again(
    page: Page, stack: RunningStack, shop: Received, hook: Received, key_with_webhook: str
) -> None:
    page.add_init_script("localStorage.setItem('headrace-tour', 'taken')")
    stack.api("POST", "/api/workflows", calling("Moved shop", f"{shop.url}/moved"))
    shop.status = 500
    failed = run(stack, "moved-shop", key_with_webhook)
    ended(stack, failed)
    until(lambda: hook.ids)
    shop.status = 200
    shop.bodies.clear()
    page.goto("/app/executions")

    page.get_by_role("row", name="moved-shop").get_by_role("link").click()
    expect(panel(page, "call")).to_contain_text("http_status")
    panel(page, "call").get_by_role("link", name="Open in the editor").click()
    url = page.get_by_role("region", name="Settings").get_by_label("URL", exact=True)
    expect(url).to_have_value(f"{shop.url}/moved")
    url.fill(shop.url)
    expect_saved(page)
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(state(page)).to_contain_text("Published · version 2")
    page.get_by_role("link", name="Executions").click()
    page.get_by_role("row", name="moved-shop").get_by_role("link").click()
    expect(page.get_by_role("alert")).to_contain_text("Version 2 is published since")
    page.get_by_role("button", name="Run again as version 2").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(page.get_by_text("Workflow", exact=True).locator("..")).to_contain_text("version 2")
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Grace")
    assert shop.bodies == [b'{"text": Hello Grace!}']


def test_an_execution_that_only_the_history_has_is_shown_whole(
    page: Page, stack: RunningStack, shop: Received
) -> None:
    shop.status = 500
    stack.api("POST", "/api/workflows", calling("Archived order", shop.url))
    failed = run(stack, "archived-order")
    ended(stack, failed)
    account = read_private(stack.data_dir / "demo.json")["accountId"]
    leave_to_the_history(stack, account, failed)

    page.goto(f"/app/executions/{failed}")

    node = panel(page, "call")
    expect(node.get_by_role("region", name="Input", exact=True)).to_contain_text("Hello Grace!")
    expect(node.get_by_role("region", name="Attempts")).to_contain_text("out of order")
    expect(page.get_by_role("table", name="Nodes in time")).to_contain_text("after text")
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("list", name="Events")).to_contain_text("execution.finished")
    page.get_by_role("tab", name="Call").click()
    expect(page.get_by_role("region", name="curl call")).to_contain_text("Grace")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Id").fill(failed)
    found = page.get_by_role("listbox", name="Found").get_by_role("option")
    expect(found.first).to_contain_text("archived-order")
