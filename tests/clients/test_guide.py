"""The guide of the Python client and the README's call with it, as they are written."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "call" / "use-the-client.md"
PYTHON = os.environ.get("HEADRACE_CLIENT_PYTHON", sys.executable)
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
NEEDS_ITS_OWN = ("my-workflow",)
"""Names of what a reader has, and a new installation has not."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("guide"), *ONE_WORKER) as started:
        yield started


def run(stack: RunningStack, *arguments: str) -> str:
    """Run Python with the client and return what it prints."""
    environ = {"HEADRACE_URL": stack.url, "HEADRACE_API_KEY": stack.key}
    if sys.executable == PYTHON:
        environ["PYTHONPATH"] = str(ROOT / "deploy" / "clients" / "python")
    done = subprocess.run(
        [PYTHON, *arguments], env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "block", [each for each in BLOCKS if not any(name in each for name in NEEDS_ITS_OWN)]
)
def test_a_program_of_the_guide_runs(block: str, stack: RunningStack) -> None:
    printed = run(stack, "-c", block)

    assert "print" not in block or "def receive" in block or printed


def test_the_readme_s_call_gives_the_letter(stack: RunningStack) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^\.venv/bin/python -c '(.*)'$", readme, re.MULTILINE)

    assert run(stack, "-c", program).startswith("{'text': 'Dear Ada,")


def test_programs_of_the_guide_have_types(tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"program_{number}.py").write_text(block)
    own = () if sys.executable == PYTHON else ("--python-executable", PYTHON)
    environ = {**os.environ, "MYPYPATH": str(ROOT / "deploy" / "clients" / "python")}
    if own:
        environ["MYPYPATH"] = ""

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            *own,
            "--config-file=",
            *map(str, sorted(tmp_path.glob("*.py"))),
        ],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
