from pathlib import Path

import pytest

from deploy.packaging.release import second_build
from deploy.packaging.release.checksums import write_checksums
from deploy.packaging.release.commands import ReleaseFailed
from deploy.packaging.release.second_build import build_again, compare
from deploy.packaging.release.sources import Sources, read_sources
from tests.support.dist.clone import make_clone, needs_git

PROGRAM = """
import os, pathlib, sys
from deploy.packaging.release.checksums import write_checksums

folder = pathlib.Path(sys.argv[1])
folder.mkdir()
seen = (os.environ["TZ"], f"{os.umask(0):o}", os.path.isfile("code"))
(folder / "a").write_text(" ".join(map(str, seen)))
write_checksums(folder)
"""
"""A builder that writes what it sees of its surroundings."""


def make_build(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    write_checksums(folder)
    return folder


def test_files_that_differ_or_are_in_one_build_alone_are_named(tmp_path: Path) -> None:
    first = make_build(tmp_path / "1", same="a", other="a", one="a")
    second = make_build(tmp_path / "2", same="a", other="b", two="a")

    assert compare(first, second) == ["one", "other", "two"]
    assert compare(first, first) == []


def test_a_clone_with_changes_is_not_built_again(tmp_path: Path) -> None:
    sources = Sources(root=tmp_path, commit="c", epoch=60, is_committed=False, files=())

    with pytest.raises(ReleaseFailed, match="committed"):
        build_again(sources, tmp_path)


@needs_git
def test_the_second_build_runs_in_another_clone_under_other_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = make_clone(tmp_path / "clone", {"code": "", "builder.py": PROGRAM})
    monkeypatch.setattr(second_build, "BUILDER", ("builder.py",))
    first = make_build(tmp_path / "first", a="Pacific/Chatham 77 True")

    assert build_again(read_sources(clone), first) == []
