"""The packages that are built of the tree: their files and their description."""

import email
import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from deploy.packaging.release.builder import read_version
from deploy.packaging.release.python_packages import build_package, static_of
from deploy.packaging.release.sources import copy_sources, read_sources
from gateway.ui import build_pages

ROOT = Path(__file__).parents[2]
PACKAGES = {"engine", "gateway", "workers", "deploy"}
LEFT_OUT = ("clients", "compose.yaml", "kubernetes", "packaging", "systemd")
"""Entries of `deploy/` that a user of the wheel has no use for, or gets otherwise."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """A wheel that is built of the source archive, where there is no Node."""
    if not (ROOT / ".git").exists() or not shutil.which("git") or not find_spec("hatchling"):
        pytest.skip("a clone, git and hatchling are needed to build the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    copy_sources(read_sources(ROOT), folder / "sources")
    static = static_of(folder / "sources")
    static.mkdir()
    (static / "index.html").touch()
    # Pages of these sources, so that nothing fetches Node to build them.
    mark = build_pages.fingerprint(folder / "sources" / "gateway" / "ui")
    (static / build_pages.FINGERPRINT).write_text(mark, encoding="ascii")
    for name in ("scratch", "dist"):
        (folder / name).mkdir()
    environ = {"SOURCE_DATE_EPOCH": "1796000000", "PATH": "/nowhere"}
    return zipfile.Path(
        build_package(folder / "sources", folder / "scratch", folder / "dist", environ)
    )


def test_the_wheel_has_the_code_the_scripts_the_examples_and_the_pages(wheel: zipfile.Path) -> None:
    information = f"headrace-{read_version(ROOT)}.dist-info"

    assert {each.name for each in wheel.iterdir()} == PACKAGES | {information}
    assert (wheel / "gateway" / "static" / "index.html").is_file()
    assert (wheel / "engine" / "lua" / "executions").is_dir()
    assert (wheel / "deploy" / "example_workflows" / "greeting-letter.json").is_file()
    assert (wheel / "deploy" / "dashboards" / "overview.json").is_file()
    assert (wheel / "deploy" / "runbooks" / "down.md").is_file()
    assert not (wheel / "deploy" / "dashboards" / "generator").exists()
    assert (wheel / information / "licenses" / "LICENSE").is_file()
    assert not (wheel / "gateway" / "ui").is_dir()
    assert [name for name in LEFT_OUT if (wheel / "deploy" / name).exists()] == []


def test_the_wheel_says_its_version_and_the_pythons(wheel: zipfile.Path) -> None:
    information = wheel / f"headrace-{read_version(ROOT)}.dist-info"
    described = email.message_from_string((information / "METADATA").read_text())

    assert described["Version"] == read_version(ROOT)
    assert described["Requires-Python"] == ">=3.11"
    assert "headrace = deploy.cli:main" in (information / "entry_points.txt").read_text()


def test_the_wheel_has_the_time_that_it_is_given(wheel: zipfile.Path) -> None:
    times = {member.date_time for member in wheel.root.infolist()}

    assert times == {(2026, 11, 30, 0, 53, 20)}
