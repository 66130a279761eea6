"""The package of the TypeScript client: its description; `make clients` builds and calls it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deploy.clients.typescript import build_client
from gateway.ui import build_pages


@pytest.mark.parametrize(
    ("python", "npm"),
    [("0.2.0", "0.2.0"), ("0.2.0.dev0", "0.2.0-dev.0"), ("1.10.0rc2", "1.10.0-rc.2")],
)
def test_a_version_is_written_as_npm_writes_it(python: str, npm: str) -> None:
    assert build_client.npm_version(python) == npm


@pytest.mark.parametrize("text", ["", "1.2", "1.2.3.post1", "v1.2.3"])
def test_another_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version of a release"):
        build_client.npm_version(text)


def test_the_package_has_the_projects_version_licence_and_no_dependencies(tmp_path: Path) -> None:
    build_client.stage(tmp_path / "package")

    described = json.loads((tmp_path / "package" / "package.json").read_text())
    assert (described["name"], described["version"]) == ("headrace", build_client.version())
    assert not [member for member in described if "ependencies" in member]
    names = {each.name for each in (tmp_path / "package").iterdir()}
    assert names == {"package.json", "README.md", "LICENSE"}


def test_files_of_the_package_have_one_mode_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir(mode=0o700)
    (tmp_path / "dist" / "index.js").touch(mode=0o600)

    build_client.open_to_readers(tmp_path)

    modes = [path.stat().st_mode & 0o777 for path in sorted(tmp_path.rglob("*"))]
    assert modes == [0o755, 0o644]


def test_types_that_are_wrong_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = tmp_path / "tsc"
    compiler.touch()
    monkeypatch.setattr(build_client, "COMPILER", compiler)
    monkeypatch.setattr(build_pages, "installed_node", lambda: Path("node"))

    def fail(command: Sequence[str], environ: Mapping[str, str]) -> None:
        raise subprocess.CalledProcessError(2, command)

    with pytest.raises(subprocess.CalledProcessError, match="--noEmit"):
        build_client.check(fail)


def test_without_node_nothing_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_pages, "installed_node", lambda: None)

    assert "were not checked" in build_client.check()
