import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deploy.packaging.release import python_packages
from deploy.packaging.release.commands import ReleaseFailed
from deploy.packaging.release.python_packages import build_package, require_pages, static_of
from gateway.ui import build_pages


def test_a_wheel_is_built_of_the_unpacked_source_archive(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, scratch, target = (tmp_path / name for name in ("source", "scratch", "target"))
    for folder in (source, scratch, target):
        folder.mkdir()
    (source / "code.py").write_text("code")

    def hatchling(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
        kind = command[command.index("--target") + 1]
        if kind == "sdist":
            with tarfile.open(scratch / "a-1.tar.gz", "w:gz") as archive:
                archive.add(folder / "code.py", "a-1/code.py")
        else:
            (scratch / "a-1.whl").write_text(f"{folder.name} {(folder / 'code.py').read_text()}")

    monkeypatch.setattr(python_packages, "run", hatchling)

    wheel = build_package(source, scratch, target, {})

    assert sorted(path.name for path in target.iterdir()) == ["a-1.tar.gz", "a-1.whl"]
    assert wheel.read_text() == "a-1 code"


def test_pages_that_cannot_be_built_end_the_build_of_a_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build_pages, "build_if_changed", lambda *_: "WARNING: npm has failed")
    monkeypatch.setattr(build_pages, "is_built", lambda *_: False)

    with pytest.raises(ReleaseFailed, match="npm has failed"):
        require_pages(tmp_path)
    monkeypatch.setattr(build_pages, "is_built", lambda _, static: static == static_of(tmp_path))
    require_pages(tmp_path)
