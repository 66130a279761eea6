"""Settings of an agent: its tools, and those before whose calls a person is asked."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import SETTLED, violations
from tests.support.e2e.node_settings import await_settings, node, open_settings, save_draft
from tests.support.e2e.workflows import tool
from tests.support.mcp.server import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def tools(stack: RunningStack) -> None:
    """Workflows that a model may call."""
    for name in ("Count stock", "Order more"):
        status, answer = stack.api("POST", "/api/workflows", tool(name, "7 of {{ order }}"))
        assert status == 201, answer


@pytest.fixture
def slug(stack: RunningStack) -> str:
    return save_draft(stack, "Agent alone", [node("agent", "agent", model="gpt-mini")])


def approve(panel: Locator) -> Locator:
    return panel.locator("[data-field=approve]")


def test_workflows_are_chosen_as_tools_and_asked_about(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "agent")
    panel.get_by_role("button", name="Add a workflow").click()
    panel.get_by_label("Workflow of tool 1").select_option("Count stock")
    expect(panel.get_by_text("Count stock, by its number.")).to_be_visible()
    panel.get_by_role("button", name="Add a workflow").click()
    second = panel.get_by_label("Workflow of tool 2")
    expect(second.get_by_role("option", name="Count stock")).to_have_count(0)
    second.select_option("Order more")
    approve(panel).get_by_role("checkbox", name="order-more").check()

    data = {"model": "gpt-mini", "tools": [{"workflow": "count-stock"}, {"workflow": "order-more"}]}
    await_settings(stack, slug, "agent", {**data, "approve": ["order-more"]})
    card = page.locator("[data-id=agent]")
    expect(card).to_contain_text("Tools: count-stock, order-more; asks before order-more")
    page.evaluate(SETTLED)
    assert violations(page) == []

    panel.get_by_role("button", name="Remove tool order-more").click()
    await_settings(stack, slug, "agent", {**data, "tools": data["tools"][:1]})


def test_a_workflow_without_a_description_is_told(page: Page, stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", {**tool("Mute tool", "x"), "description": ""})
    data = {"model": "gpt-mini", "tools": [{"workflow": "mute-tool"}]}
    slug = save_draft(stack, "Mute agent", [node("agent", "agent", **data)])

    panel = open_settings(page, slug, "agent")

    expect(panel.get_by_text("It has no description")).to_be_visible()


def test_names_that_collide_and_names_of_no_tool_are_problems(
    page: Page, stack: RunningStack
) -> None:
    twice = [
        {"workflow": "count-stock"},
        {"server": "https://example.com/mcp", "tool": "count-stock"},
    ]
    data = {"model": "gpt-mini", "tools": twice, "approve": ["pay"]}
    slug = save_draft(stack, "Collides", [node("agent", "agent", **data)])

    panel = open_settings(page, slug, "agent")

    expect(panel.locator("[data-field=tools]")).to_contain_text("have the name 'count-stock'")
    expect(approve(panel)).to_contain_text("No tool has this name")
    approve(panel).get_by_role("checkbox", name="pay").click()
    expect(approve(panel).get_by_role("checkbox", name="pay")).to_have_count(0)


def test_a_workflow_with_approvals_is_told_not_to_become_public(
    page: Page, stack: RunningStack
) -> None:
    data = {"model": "gpt-mini", "tools": [{"workflow": "count-stock"}], "approve": ["count-stock"]}
    slug = save_draft(stack, "Asks people", [node("agent", "agent", **data)])
    open_settings(page, slug, "agent")
    page.get_by_role("button", name="Deploy", exact=True).click()
    deploy = page.get_by_role("region", name="Deploy")

    deploy.get_by_role("switch", name="Public playground").click()

    expect(deploy.get_by_text("cannot be public")).to_be_visible()


def test_a_server_lists_its_tools_and_each_may_need_an_approval(
    page: Page, stack: RunningStack, slug: str
) -> None:
    panel = open_settings(page, slug, "agent")
    with serving() as server:
        panel.get_by_role("button", name="Add an MCP server").click()
        panel.get_by_label("MCP server", exact=True).fill(server.url)
        panel.get_by_role("button", name="List its tools").click()
        listed = panel.get_by_role("list", name=f"Tools of {server.url}")
        expect(listed).to_contain_text("Adds two numbers.")
        approve(panel).get_by_role("checkbox", name="add").check()

        expected = {"model": "gpt-mini", "tools": [{"server": server.url}], "approve": ["add"]}
        await_settings(stack, slug, "agent", expected)
        assert violations(page) == []
        panel.get_by_label("Tool", exact=True).fill("add")
        expect(listed.get_by_role("listitem")).to_have_count(1)
        expected["tools"] = [{"server": server.url, "tool": "add"}]
        await_settings(stack, slug, "agent", expected)
