"""The page on fetching, branching and posting: its shop and commands run as printed."""

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack, until

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "compose" / "branch-on-totals.md"
PORT = 9000
"""The port of the page's shop."""


class Shop:
    """The page's shop as a process, on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.output = folder / "received"
        [code] = blocks("python")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.moved(code)], stdout=output, stderr=subprocess.DEVNULL
            )

    def moved(self, text: str) -> str:
        """Return a text of the page with this shop's port."""
        return text.replace(str(PORT), str(self.port))

    def listens(self) -> bool:
        """Return whether the shop accepts connections."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def blocks(language: str) -> list[str]:
    """Return the page's blocks of code in one language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.S)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    started = Shop(tmp_path)
    try:
        until(started.listens)
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def test_each_command_prints_the_answer_that_the_page_shows(
    stack: RunningStack, shop: Shop
) -> None:
    lines = [shop.moved(each).replace("\\\n", "") for each in blocks("sh") if " run order" in each]
    commands = [shlex.split(each) for each in lines]
    answers = [json.loads(each) for each in blocks("json")]

    done = [stack.command(*words[1:]) for words in commands]

    assert [each.stderr for each in done] == [""] * 3
    assert [json.loads(each.stdout) for each in done] == answers
    assert {words[0] for words in commands} == {".venv/bin/headrace"}
    received = shop.output.read_text().splitlines()
    [(path, shown)] = re.findall(r"`received (\S+) (\{.*?\})`", GUIDE.read_text())
    assert received[0].split()[1] == path
    # CEL keeps no order of a map's members.
    assert json.loads(received[0].split(maxsplit=2)[2]) == json.loads(shown)
    assert [line.split()[1] for line in received] == ["/review", "/booking"]


def test_the_page_shows_the_expression_and_the_cases_of_the_example() -> None:
    document = json.loads((GUIDE.parents[3] / "examples" / "order-report.json").read_text())
    data = {node["id"]: node["data"] for node in document["nodes"]}
    [expression] = blocks("cel")

    assert " ".join(expression.split()) == data["summary"]["expression"]
    for case in data["route"]["cases"]:
        condition = case["when"].removeprefix("value != null && ")
        assert f"`{case['name']}` where `{condition}`" in GUIDE.read_text()
