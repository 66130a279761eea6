"""The pages on graphs in graphs and on failures: their files and commands run as printed."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack, environment

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "how-to" / "compose"
BLOCK = re.compile(r"(?P<lead>[^\n]*)\n+```(?P<language>\w+)\n(?P<code>.*?)\n```", re.S)
SAVED = re.compile(r"`(\w[\w.-]+)`[^`]*:$")


class Page:
    """Page whose files stand in a folder, in which its commands run."""

    def __init__(self, name: str, folder: Path, stack: RunningStack) -> None:
        self.text = (PAGES / name).read_text("utf-8")
        self.folder = folder
        self._environ = environment(HEADRACE_URL=stack.url, HEADRACE_API_KEY=stack.key)
        (folder / ".venv").symlink_to(ROOT / ".venv")

    def follow(self) -> Iterator[tuple[str, str]]:
        """Do what the page says, in its order; yield each output with the one that it shows."""
        output = ""
        for block in BLOCK.finditer(self.text):
            lead, language, code = block["lead"], block["language"], block["code"]
            named = SAVED.search(lead)
            if language == "sh":
                output = "" if "$" in code else self._run(code)
            elif named:
                (self.folder / named[1]).write_text(code, "utf-8")
            else:
                yield output, code

    def _run(self, code: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", code.replace("python3", ".venv/bin/python")],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.parametrize(
    ("name", "shown"),
    [("run-for-each-item.md", 2), ("call-a-workflow.md", 1), ("go-on-after-a-failure.md", 3)],
)
def test_each_command_prints_the_answer_that_the_page_shows(
    stack: RunningStack, tmp_path: Path, name: str, shown: int
) -> None:
    followed = list(Page(name, tmp_path, stack).follow())

    assert len(followed) == shown
    for output, expected in followed:
        if expected.startswith("{"):
            assert json.loads(output) == json.loads(expected)
        else:
            assert output.strip() == expected
