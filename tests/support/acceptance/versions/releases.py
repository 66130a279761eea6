"""The previous release, taken from the history of the clone, beside the code of this tree."""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[4]
CHANGELOG = "CHANGELOG.md"
SECTION = re.compile(r"^## \[(\d+\.\d+\.\d+)\]", re.MULTILINE)
PARTS = ("engine", "gateway", "workers", "deploy", "pyproject.toml")


class NoHistory(Exception):
    """The clone lacks the commits in which the previous release would be found."""


@dataclass(frozen=True, slots=True)
class Release:
    """Code of a release in a folder, which runs with the packages of this process."""

    name: str
    folder: Path
    modules: tuple[str, ...] = ()
    """Modules of the tests that its processes import first."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables of processes that run the release."""
        return {"PYTHONPATH": str(self.folder)}

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command of the release."""
        if not self.modules:
            return [sys.executable, "-P", "-m", "deploy", *arguments]
        code = f"import {', '.join(self.modules)}; from deploy.cli import main; main()"
        return [sys.executable, "-P", "-c", code, *arguments]


THIS_RELEASE = Release("this", ROOT)


def find_previous(root: Path = ROOT) -> tuple[str, str]:
    """Return version and commit of the newest release in the changelog before the tree's version.

    The commit is the one that added the section. Raises NoHistory.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    own = _numbers(project["project"]["version"])
    named = SECTION.findall((root / CHANGELOG).read_text(encoding="utf-8"))
    versions = [version for version in named if _numbers(version) < own]
    if not versions:
        raise NoHistory(f"{CHANGELOG} has no section of a release before this one")
    heading = f"## [{versions[0]}]"
    words = ("log", "--format=%H", "--reverse", "-S", heading, "--", CHANGELOG)
    commits = _git(root, *words).decode().split()
    if not commits or _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NoHistory(
            f"The history of this clone has no commit that added '{heading}' to {CHANGELOG}: "
            "fetch the whole history (git fetch --unshallow) to test beside the previous release"
        )
    return versions[0], commits[0]


def check_out_previous(folder: Path, root: Path = ROOT) -> Release:
    """Write the code of the previous release into a folder. Raises NoHistory."""
    version, commit = find_previous(root)
    return Release(version, check_out(folder, commit, root).folder)


def check_out(folder: Path, commit: str, root: Path = ROOT) -> Release:
    """Write the code of a commit into a folder. Raises NoHistory."""
    archive = _git(root, "archive", "--format=tar", commit, *PARTS)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return Release(commit, folder)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version, without the end of one in development."""
    return tuple(int(number) for number in version.split(".")[:3])


def _git(root: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise NoHistory("There is no git here, which finds the previous release") from None
    if done.returncode:
        raise NoHistory(f"git says: {done.stderr.decode().strip()}")
    return done.stdout
