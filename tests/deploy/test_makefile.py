"""The Makefile and the versions of Python that Headrace supports."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.dist.interpreters import VERSIONS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def variable(name: str) -> str:
    """Return a variable of the Makefile."""
    return make("--eval", f"ask: ; $(info $({name}))", "ask")[0]


def make(*arguments: str) -> list[str]:
    """Return the lines that make prints."""
    # a make that runs the tests sets these
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    environ = {key: value for key, value in os.environ.items() if key not in outer}
    made = subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    return made.stdout.splitlines()


def test_the_versions_that_are_named_are_those_that_the_wheel_is_tried_on() -> None:
    named = [
        found[1]
        for classifier in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
    ]
    tested = sorted(variable("TESTED").split())

    assert tuple(named) == VERSIONS
    assert set(tested) <= set(named)
    assert PROJECT["requires-python"] == f">={named[0]}"
    readme = (ROOT / "README.md").read_text()
    assert (
        f"run on Python {' and '.join(tested)}, the wheel on {named[0]} to {named[-1]};" in readme
    )


def test_every_target_that_is_described_is_listed() -> None:
    described = re.findall(r"^([^\s:#]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [line.split()[1] for line in make("help")] == described
    assert "e2e" in described


def test_the_data_directory_is_that_of_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.delenv("HEADRACE_DATA_DIR", raising=False)
    by_default = variable("DATA_DIR")
    monkeypatch.setenv("HEADRACE_DATA_DIR", "/there")

    assert (by_default, variable("DATA_DIR")) == (".headrace", "/there")


def test_a_python_that_is_not_tested_gets_a_warning_and_works() -> None:
    code = variable("IS_TESTED")
    this = "{}.{}".format(*sys.version_info)

    codes = [
        subprocess.run([sys.executable, "-c", code, *tested]).returncode
        for tested in (["3.1", this], ["3.1", "2.7"])
    ]

    assert codes == [0, 1]
    assert subprocess.run([sys.executable, "-c", variable("SUPPORTED")]).returncode == 0


def test_a_newer_python_is_told_from_an_older_one() -> None:
    code = variable("IS_NEWER")

    codes = [
        subprocess.run([sys.executable, "-c", code, str(minor)]).returncode
        for minor in (sys.version_info[1] - 1, sys.version_info[1])
    ]

    assert codes == [0, 1]


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], set()),
        (["DEMO=1"], {"--demo-provider"}),
        (["DEMO=1", "LOCAL=1"], {"--demo-provider", "--local"}),
    ],
)
def test_what_runs_beside_the_stack_is_chosen_by_variables(
    words: list[str], options: set[str]
) -> None:
    [started] = [line for line in make("--dry-run", "run", *words) if " up --port " in line]
    given = {word for word in started.split() if word.startswith("--")}

    assert given - {"--port", "--data-dir"} == options
