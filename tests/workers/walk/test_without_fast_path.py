"""The folder of the fast path serves speed alone: walks go on without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WALK = Path("workers/walk")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of this tree without the folder and its tests."""
    for name in ("engine", "gateway", "deploy", "examples", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    ignored = shutil.ignore_patterns("__pycache__", "e2e", "acceptance")
    for name in ("workers", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for folder in (WALK / "fast", "tests" / WALK / "fast"):
        shutil.rmtree(tmp_path / folder)
    return tmp_path


@pytest.mark.parametrize(
    "selected",
    ["test_walk.py", pytest.param("", marks=[pytest.mark.thorough, pytest.mark.timeout(900)])],
    ids=["sample", "all tests of the walk"],
)
def test_walks_go_on_without_the_fast_path(tree: Path, selected: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"]
    left_out = f"--ignore=tests/{WALK}/{Path(__file__).name}"

    run = subprocess.run(
        [*command, left_out, f"tests/{WALK}/{selected}"],
        cwd=tree,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-3_000:] + run.stderr[-1_000:]
