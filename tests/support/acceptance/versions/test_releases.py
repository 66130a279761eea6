"""The previous release is found in the history, or it is said why not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import environment
from tests.support.acceptance.versions.releases import (
    ROOT,
    THIS_RELEASE,
    NoHistory,
    check_out_previous,
    find_previous,
)

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")

PROJECT = '[project]\nversion = "{}"\n'
SECTION = "# Changelog\n\n## [Unreleased]\n\n## [{}] - 2026-11-30\n{}"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    return subprocess.check_output(["git", *who, "-C", str(folder), *words], text=True)


def commit(folder: Path, text: str) -> str:
    """Write the changelog and a file of the code; return the commit."""
    for name in ("engine", "gateway", "workers", "deploy"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "code.py").write_text(text)
    (folder / "pyproject.toml").write_text(PROJECT.format("0.3.0.dev0"))
    (folder / "CHANGELOG.md").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "A change")
    return git(folder, "rev-parse", "HEAD").strip()


def test_the_previous_release_is_the_commit_of_the_newest_section(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, "# Changelog\n\n## [Unreleased]\n")
    commit(tmp_path, SECTION.format("0.1.0", "First.\n"))
    older = SECTION.format("0.1.0", "First.\n").partition("## [Un")[2].partition("\n\n")[2]
    released = commit(tmp_path, SECTION.format("0.2.0", "Second.\n") + older)
    commit(tmp_path, SECTION.format("0.2.0", "Second, said better.\n") + older)

    release = check_out_previous(tmp_path / "out", tmp_path)

    assert find_previous(tmp_path) == ("0.2.0", released)
    assert release.name == "0.2.0"
    assert "Second.\n" in (release.folder / "engine" / "code.py").read_text()


def test_the_section_of_the_tree_itself_is_not_that_of_a_previous_release(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    first = commit(tmp_path, SECTION.format("0.1.0", "First.\n"))
    older = SECTION.format("0.1.0", "First.\n").partition("## [Un")[2].partition("\n\n")[2]
    commit(tmp_path, SECTION.format("0.2.0", "Second.\n") + older)
    (tmp_path / "pyproject.toml").write_text(PROJECT.format("0.2.0"))

    assert find_previous(tmp_path) == ("0.1.0", first)


def test_a_clone_without_history_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(SECTION.format("0.1.0", ""))
    (tmp_path / "pyproject.toml").write_text(PROJECT.format("1.0.0"))
    with pytest.raises(NoHistory, match="not a git repository"):
        find_previous(tmp_path)
    git(tmp_path, "init", "-q")
    commit(tmp_path, SECTION.format("0.1.0", ""))
    (tmp_path / "CHANGELOG.md").write_text(SECTION.format("0.2.9", ""))
    with pytest.raises(NoHistory, match="git fetch --unshallow"):
        find_previous(tmp_path)


def test_processes_of_a_release_run_its_code(tmp_path: Path) -> None:
    try:
        previous = check_out_previous(tmp_path)
    except NoHistory as reason:
        pytest.skip(str(reason))
    for release, folder in ((previous, tmp_path), (THIS_RELEASE, ROOT)):
        code = "import engine, workers.main; print(engine.__file__)"
        environ = environment(**release.environment)
        found = subprocess.check_output([sys.executable, "-P", "-c", code], env=environ, text=True)
        assert Path(found.strip()).is_relative_to(folder)
