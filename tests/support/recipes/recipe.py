"""Made-up additions to the tree, each by the files that its recipe names.

The page `docs/contributing/recipes.md` has the recipes; `tests/test_recipes.py` follows them.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
COPIED = ("engine", "gateway", "workers", "deploy", "tests", "docs", "pyproject.toml")
OWN_VARIABLES = ("PYTEST_", "COV_", "COVERAGE_", "HEADRACE_")
"""Beginnings of variables that a test run in a copy does not inherit."""


@dataclass(frozen=True, slots=True)
class Addition:
    """A new file, or text that follows an anchor in an existing file."""

    path: str
    text: str
    anchor: str = ""

    def apply(self, root: Path) -> None:
        """Add the text to the tree. Raises ValueError when the anchor is not there once."""
        target = root / self.path
        if not self.anchor:
            target.write_text(self.text)
            return
        before, anchor, rest = (source := target.read_text()).partition(self.anchor)
        if source.count(self.anchor) != 1:
            raise ValueError(f"{self.path} does not contain {self.anchor!r} once")
        target.write_text(before + anchor + self.text + rest)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Additions that belong together, and the tests that notice them or their absence."""

    name: str
    additions: Sequence[Addition]
    checks: Sequence[str]
    raised_by: Sequence[Addition] = ()
    """The user of the addition, where the recipe leaves it out of the count."""

    @property
    def files(self) -> set[str]:
        """The files that the recipe names."""
        return {each.path for each in self.additions}


def copy_tree(target: Path) -> None:
    """Copy the sources, their bytecode and the documentation."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy2(source, target)


def follow(recipes: Sequence[Recipe], root: Path, left_out: Collection[str] = ()) -> None:
    """Make the additions of the recipes, except in the files that are left out."""
    for recipe in recipes:
        for addition in (*recipe.additions, *recipe.raised_by):
            if addition.path not in left_out:
                addition.apply(root)


def failing(recipes: Sequence[Recipe], root: Path) -> set[str]:
    """Run the checks of the recipes in a tree, in a process of its own.

    Return the names of the test functions that fail, and the modules that cannot be imported.
    """
    checks = {check for each in recipes for check in each.checks}
    own = {file for each in recipes for file in each.files}
    present = sorted(check for check in checks if check not in own or (root / check).exists())
    environ = {key: value for key, value in os.environ.items() if not key.startswith(OWN_VARIABLES)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
        + ["-p", "no:xdist", "--continue-on-collection-errors", *present],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
    )
    found = set(re.findall(r"^(?:FAILED|ERROR) (?:\S+::)?([^\s\[]+)", run.stdout, re.MULTILINE))
    if bool(run.returncode) is not bool(found):
        raise RuntimeError(run.stdout + run.stderr)
    return found
