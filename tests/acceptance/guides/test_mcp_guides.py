"""The pages on tools: their configurations start real processes, and their programs run."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.support.acceptance.running_stack import RunningStack, environment
from tests.support.guides.guide_shell import ROOT, GuideShell, blocks

PAGES = ROOT / "docs" / "how-to" / "mcp"
DESKTOP, IDE, PROGRAM = (PAGES / f"{each}.md" for each in ("claude-desktop", "ide", "program"))
LETTER = "greeting-letter"
HEADRACE = ROOT / ".venv" / "bin" / "headrace"


def configured(block: str, stack: RunningStack) -> dict[str, Any]:
    """Return the server of a configuration, with the stack's address and key put in."""
    text = re.sub(r"\$\{[^}]+\}|hr_live_…", stack.key, block)
    text = text.replace("https://flows.example.org", stack.url)
    servers = json.loads(text)
    [server] = (servers.get("mcpServers") or servers["servers"]).values()
    return dict(server)


async def letter_of(client: Client) -> Any:
    """Return the letter that a client gets, once it has the tool in its list."""
    async with client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert LETTER in names
        result = await client.call_tool(LETTER, {"name": "Ada"})
    assert not result.is_error
    return result.structured_content


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_configuration_of_the_desktop_starts_a_process_with_the_tools(
    stack: RunningStack, tmp_path: Path, mode: str
) -> None:
    [block] = blocks(DESKTOP, "json")
    server = configured(block, stack)
    assert server["command"] == "/path/to/headrace"

    command = StdioServerParameters(
        command=str(HEADRACE), args=server["args"], env=environment(**server["env"]), cwd=tmp_path
    )

    assert "Dear Ada," in str(await letter_of(Client(command, mode=mode)))


async def test_a_stack_of_this_machine_is_found_by_its_data_directory(
    stack: RunningStack, tmp_path: Path
) -> None:
    [words] = re.findall(r'"args": (\["mcp", "--data-dir".*?\])', DESKTOP.read_text("utf-8"))
    arguments = json.loads(words.replace("/path/to/.headrace", str(stack.data_dir)))

    command = StdioServerParameters(
        command=str(HEADRACE), args=arguments, env=environment(), cwd=tmp_path
    )

    assert "Dear Ada," in str(await letter_of(Client(command)))


@pytest.mark.parametrize("number", range(3))
async def test_the_configurations_of_ides_reach_the_tools(stack: RunningStack, number: int) -> None:
    server = configured(blocks(IDE, "json")[number], stack)

    async with httpx2.AsyncClient(headers=server["headers"], timeout=60) as http_client:
        client = Client(streamable_http_client(server["url"], http_client=http_client))
        assert "Dear Ada," in str(await letter_of(client))


@pytest.mark.parametrize(("number", "first"), [(0, f"{LETTER} - "), (1, "task ")])
def test_the_programs_of_the_page_run(
    stack: RunningStack, tmp_path: Path, number: int, first: str
) -> None:
    printed = GuideShell(stack, tmp_path).python(blocks(PROGRAM, "python")[number])

    assert first in printed
    assert "Dear Ada," in printed.splitlines()[-1]
