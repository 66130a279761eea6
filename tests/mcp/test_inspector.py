"""The protocol's inspector, by its command line: list, strict schemas, calls, a call over stdio."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mcp.installed import command_of, install, node_environ
from tests.support.acceptance.running_stack import ONE_WORKER, running
from tests.support.mcp.scenario_place import greeting, make_account, make_key, named, save

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("suite")]
ROOT = Path(__file__).parents[2]
SECONDS = 90
TOOL_IS_ERROR = 5
ERAS = ("legacy", "modern")


@dataclass(frozen=True)
class Inspector:
    """The command, and a server for it."""

    folder: Path
    url: str
    key: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*command_of(self.folder, "inspector"), "--cli", *arguments, "--format", "json"),
            cwd=self.folder,
            env=node_environ() | {"HOME": str(self.folder), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    def ask(self, era: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask over HTTP."""
        there = ("--server-url", f"{self.url}/mcp", "--transport", "http")
        return self.run(
            *there, "--header", f"x-api-key: {self.key}", "--protocol-era", era, *arguments
        )

    def call(self, era: str, tool: str, *pairs: str) -> subprocess.CompletedProcess[str]:
        given = ("--tool-arg", *pairs) if pairs else ()
        return self.ask(era, "--method", "tools/call", "--tool-name", tool, *given)


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    folder = install(tmp_path_factory.mktemp("inspector"))
    with running(tmp_path_factory.mktemp("inspected"), "--no-demo", *ONE_WORKER) as stack:
        key = make_key(stack, make_account(stack, "inspected"))
        save(stack, key, greeting(), named())
        yield Inspector(folder, stack.url, key)


def result_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["result"]


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_lists_tools_whose_schemas_are_portable(
    inspector: Inspector, era: str
) -> None:
    listed = result_of(inspector.ask(era, "--method", "tools/list", "--strict"))

    names = [tool["name"] for tool in listed["tools"]]
    assert names == ["scenario-greeting", "scenario-named"]


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_calls_a_tool(inspector: Inspector, era: str) -> None:
    called = result_of(inspector.call(era, "scenario-named", "name=Bob", "times=2"))

    assert called["isError"] is False
    assert called["structuredContent"] == {
        "greeting": "Hello Bob",
        "double": 4,
        "both": {"name": "Bob", "times": 2},
    }


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_tells_that_a_tool_failed(inspector: Inspector, era: str) -> None:
    done = inspector.call(era, "scenario-named", "name=Bob", "times=99")

    assert done.returncode == TOOL_IS_ERROR
    assert "INVALID_INPUTS" in done.stdout
    assert "tool_is_error" in done.stderr


def test_the_inspector_calls_a_tool_over_standard_streams(inspector: Inspector) -> None:
    command = (sys.executable, "-P", "-m", "deploy", "mcp")
    where = ("-e", f"HEADRACE_URL={inspector.url}", "-e", f"HEADRACE_API_KEY={inspector.key}")
    called = (
        "--method",
        "tools/call",
        "--tool-name",
        "scenario-greeting",
        "--tool-arg",
        "name=Bob",
    )

    done = inspector.run(*command, *where, *called)

    assert result_of(done)["structuredContent"] == {"text": "Hello Bob"}


def test_the_inspector_is_refused_without_a_key(inspector: Inspector) -> None:
    there = ("--server-url", f"{inspector.url}/mcp", "--transport", "http")

    done = inspector.run(*there, "--method", "tools/list", "--header", "x-api-key: hr_live_no")

    assert done.returncode != 0
    assert "401" in done.stderr or "auth" in done.stderr.lower(), done.stderr
