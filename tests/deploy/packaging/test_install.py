"""The script behind `make`: progress shown from the lines of a scripted pip."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.packaging import install as module
from deploy.packaging.install import InstallProgress, install
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[3]
FIRST = (
    "Obtaining file:///clone",
    "  Installing build dependencies: started",
    "  Installing build dependencies: finished with status 'done'",
    "Collecting aiohttp<4,>=3.14 (from headrace==0.1.0)",
    "  Downloading aiohttp-3.14.5-cp311-cp311-manylinux.whl.metadata (8.1 kB)",
    "  Downloading aiohttp-3.14.5-cp311-cp311-manylinux.whl (1.9 MB)",
    "Progress 0 of 1900000",
    "Progress 1000000 of 1900000",
)
REST = (
    "Progress 1900000 of 1900000",
    "Requirement already satisfied: click in ./site-packages",
    "  Using cached attrs-26.1.0-py3-none-any.whl (67 kB)",
    "Building wheels for collected packages: headrace",
    "Installing collected packages: attrs, aiohttp, headrace",
)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def pip(*lines: str, code: int = 0, pause: float = 0.0) -> tuple[str, ...]:
    """Return a program that prints these lines, is silent for a while, and ends with this code."""
    program = (
        "import sys, time\n"
        f"for line in {lines!r}:\n"
        "    print(line, flush=True)\n"
        f"time.sleep({pause}); sys.exit({code})"
    )
    return (sys.executable, "-c", program)


@pytest.mark.parametrize(
    ("lines", "step"),
    [
        ((), "asking for the packages"),
        (FIRST[:2], "installing build dependencies"),
        (FIRST[:5], "installing build dependencies"),
        (FIRST, "1 package, 1.0 MB: aiohttp"),
        ((*FIRST, *REST[:3]), "2 packages, 2.0 MB: attrs"),
        ((*FIRST, *REST), "2 packages, 2.0 MB; unpacked 0 of 3"),
    ],
)
def test_a_step_names_the_packages_and_bytes_that_are_here(
    tmp_path: Path, lines: tuple[str, ...], step: str
) -> None:
    progress = InstallProgress(tmp_path)
    for line in lines:
        progress.read(line)

    assert progress.now() == step


def test_packages_that_are_unpacked_are_counted_where_they_arrive(tmp_path: Path) -> None:
    (tmp_path / "pip-26.0.dist-info").mkdir()
    progress = InstallProgress(tmp_path)
    for line in (*FIRST, *REST):
        progress.read(line)

    (tmp_path / "attrs-26.1.0.dist-info").mkdir()

    assert progress.now() == "2 packages, 2.0 MB; unpacked 1 of 3"


def test_a_file_gets_a_line_at_the_beginning_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
    every, rare = io.StringIO(), io.StringIO()

    code = install("Headrace", pip(*FIRST, *REST), every, tmp_path)
    monkeypatch.setattr(module, "LINE_SECONDS", 600.0)
    install("Headrace", pip(*FIRST, *REST), rare, tmp_path)

    first, *between, last = every.getvalue().splitlines()
    assert code == 0
    assert first.startswith("Installing Headrace into ")
    assert any(re.fullmatch(r"  1 package, 1\.0 MB: aiohttp \(\d+ s\)", line) for line in between)
    assert re.fullmatch(r"  2 packages, 2\.0 MB, in \d+ s", last)
    assert len(rare.getvalue().splitlines()) == 2
    assert "\r" not in every.getvalue()


def test_a_terminal_has_one_line_that_moves_while_pip_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    shown = Terminal()

    install("Headrace", pip(*FIRST, pause=0.5), shown, tmp_path)

    assert shown.getvalue().count("\n") == 2
    assert shown.getvalue().count("\r\x1b[K  1 package, ") > len(FIRST)
    assert "Collecting" not in shown.getvalue()


def test_troubles_of_pip_are_shown_and_its_exit_code_is_given(tmp_path: Path) -> None:
    troubles = ("WARNING: Retrying (Retry(total=4))", "ERROR: No matching distribution", "why: x")
    shown = io.StringIO()

    code = install("Headrace", pip(*FIRST, *troubles, code=1), shown, tmp_path)

    lines = shown.getvalue().splitlines()
    assert code == 1
    assert tuple(lines[1:4]) == troubles
    assert lines[4].startswith("  pip has failed after ")


def test_a_pip_that_fails_without_an_error_shows_its_last_lines(tmp_path: Path) -> None:
    shown = io.StringIO()

    code = install("Headrace", pip("something", "odd", code=3), shown, tmp_path)

    assert code == 3
    assert shown.getvalue().splitlines()[1:3] == ["something", "odd"]


def test_nothing_to_download_is_told_too(tmp_path: Path) -> None:
    shown = io.StringIO()

    install("Headrace", pip("Requirement already satisfied: click"), shown, tmp_path)

    assert "  no package was missing, in " in shown.getvalue()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_pip_too(tmp_path: Path, number: signal.Signals) -> None:
    note = tmp_path / "pid"
    (tmp_path / "pip.py").write_text(
        f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()) + '.'); time.sleep(600)"
    )
    script = str(ROOT / "deploy" / "packaging" / "install.py")
    # A folder on the module path has a pip that never ends.
    process = subprocess.Popen(
        [sys.executable, script, "Headrace"], cwd=tmp_path, stdout=subprocess.DEVNULL
    )

    async def begun() -> bool:
        return note.exists() and note.read_text().endswith(".")

    await eventually(begun)
    process.send_signal(number)
    code = process.wait(90)

    assert code == 128 + number

    async def gone() -> bool:
        try:
            os.kill(int(note.read_text()[:-1]), 0)
        except ProcessLookupError:
            return True
        return False

    assert await eventually(gone)


def test_every_installation_of_the_makefile_shows_its_steps() -> None:
    recipes = (ROOT / "Makefile").read_text()

    (quiet,) = re.findall(r".*pip install.*", recipes)
    assert "--upgrade 'pip>=" in quiet
    assert recipes.count("$(INSTALL) '") >= 8
