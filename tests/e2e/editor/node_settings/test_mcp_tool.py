"""Settings of an MCP Tool: the tools of a server, sockets of a schema, and arguments."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.axe import violations
from tests.support.e2e.node_settings import await_settings, node, open_settings, save_draft, wire
from tests.support.mcp.server import Fault, McpServer, serving

pytestmark = pytest.mark.slow
FORM = node("form", "requestInput", fields=[{"name": "word", "label": "Word", "type": "text"}])
OUT = node("out", "responseOutput")


@pytest.fixture
def server() -> Iterator[McpServer]:
    with serving() as running:
        yield running


def make(stack: RunningStack, **data: Any) -> str:
    return save_draft(stack, "Tools", [FORM, node("call", "mcpTool", **data), OUT])


def test_a_listed_tool_brings_its_arguments_and_sockets(
    stack: RunningStack, make_page: MakePage, signed_in: Path, server: McpServer
) -> None:
    slug = make(stack)
    page = make_page(signed_in)
    panel = open_settings(page, slug, "call")

    panel.get_by_label("MCP server", exact=True).fill(server.url)
    panel.get_by_role("button", name="List its tools").click()
    panel.get_by_role("list", name="Tools of the server").get_by_role("button", name="add").click()
    panel.get_by_label("Value of a", exact=True).fill("40")

    schema = server.find_schema("add")
    expected = {"server": server.url, "tool": "add", "schema": schema, "arguments": {"a": "40"}}
    await_settings(stack, slug, "call", expected)
    expect(panel.get_by_text("Adds two numbers.")).to_be_visible()
    card = page.locator(".react-flow__node[data-id='call']")
    for socket in ("a", "b", "result-out", "text-out"):
        expect(card.locator(f".react-flow__handle[data-handleid='{socket}']")).to_have_count(1)
    expect(card.get_by_text(f"add of {server.url.split('/')[2]}")).to_be_visible()
    assert violations(page) == []


def test_a_wired_argument_is_told_and_another_one_is_added_by_name(
    stack: RunningStack, make_page: MakePage, signed_in: Path, server: McpServer
) -> None:
    schema = server.find_schema("echo")
    data = {"server": server.url, "tool": "echo", "schema": schema}
    call = node("call", "mcpTool", **data)
    slug = save_draft(stack, "Wired", [FORM, call, OUT], wire("form.word", "call.text"))
    panel = open_settings(make_page(signed_in), slug, "call")

    expect(panel.get_by_text("A wire takes its place")).to_be_visible()
    panel.get_by_label("Name of another argument").fill("more")
    panel.get_by_role("button", name="Add", exact=True).click()
    panel.get_by_label("Value of more").fill("{{ word }}!")

    await_settings(stack, slug, "call", {**data, "arguments": {"more": "{{ word }}!"}})
    panel.get_by_role("button", name="Remove more").click()
    await_settings(stack, slug, "call", data)


def test_a_server_that_refuses_is_told_in_its_words(
    stack: RunningStack,
    make_page: MakePage,
    signed_in: Path,
    server: McpServer,
    complaints: list[str],
) -> None:
    server.plant(Fault(status=403, body=b"members only"))
    panel = open_settings(make_page(signed_in), make(stack, server=server.url), "call")

    panel.get_by_role("button", name="List its tools").click()

    expect(panel.get_by_role("alert")).to_contain_text("The server answered 403: members only")
    assert all("500" in each for each in complaints)
    complaints.clear()
