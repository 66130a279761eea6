"""The commit of this folder, and the files that changed since another."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("engine", "gateway", "workers", "deploy")
UNKNOWN = "unknown"
LETTERS = 10


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def short(name: str) -> str:
    """Return the name of a commit as the report shows it."""
    return name[:LETTERS] + ("+" if name.endswith("+") else "")


def commit() -> str:
    """Return the commit, with "+" if files differ from it; "unknown" without git."""
    found = _git("rev-parse", "HEAD")
    if not found:
        return UNKNOWN
    return short(found) + ("+" if _git("status", "--porcelain", "--", *PRODUCT, "tests") else "")


@cache
def changed_since(since: str, *paths: str) -> tuple[str, ...] | None:
    """Return the files below `paths` that differ from commit `since`; None if it is unknown."""
    names = _git("diff", "--name-only", since.removesuffix("+"), "--", *paths)
    return None if names is None else tuple(names.split())
