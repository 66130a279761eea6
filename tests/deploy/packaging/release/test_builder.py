from pathlib import Path

import pytest

from deploy.packaging.release import builder
from deploy.packaging.release.builder import Report, build_release, read_version
from deploy.packaging.release.checksums import read_checksums
from deploy.packaging.release.commands import ReleaseFailed
from deploy.packaging.release.sources import Sources

ROOT = Path(__file__).parents[4]
SOURCES = Sources(root=ROOT, commit="c", epoch=60, is_committed=True, files=())


def make(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """Let the next build make these files."""

    def build(sources: Sources, scratch: Path, built: Path, report: Report) -> None:
        for name, text in files.items():
            (built / name).write_text(text)

    monkeypatch.setattr(builder, "_build", build)


def test_a_build_replaces_the_files_of_the_former_one_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "image").touch()
    make(monkeypatch, old="1", both="1")
    build_release(SOURCES, tmp_path, print)

    make(monkeypatch, new="2", both="2")
    build_release(SOURCES, tmp_path, print)

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["SHA256SUMS", "both", "image", "new"]
    assert (tmp_path / "both").read_text() == "2"
    assert read_checksums(tmp_path).keys() == {"both", "new"}


def test_a_build_that_names_a_registry_fails_and_leaves_the_former_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make(monkeypatch, text="https://" + ".".join(("quay", "io")))

    with pytest.raises(ReleaseFailed, match="registry: text"):
        build_release(SOURCES, tmp_path / "dist", print)

    assert not (tmp_path / "dist").exists()


def test_the_version_is_that_of_the_project() -> None:
    assert read_version(ROOT)[0].isdigit()
