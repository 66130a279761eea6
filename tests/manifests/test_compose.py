"""The tools of each format accept the Compose file and the files in it."""

import subprocess
from pathlib import Path

import pytest

from tests.support.compose.compose_file import (
    FILE,
    SECRETS,
    compose,
    find_tool,
    resolve,
    write_environment,
)

pytestmark = pytest.mark.slow
RULES = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"


def run_tool(name: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment or the system; skip where neither has it."""
    tool = find_tool(name)
    if tool is None:
        pytest.skip(f"there is no {name} here; `make manifests` installs it")
    return subprocess.run([tool, *words], env=environ or None, capture_output=True, text=True)


def test_compose_accepts_the_file(tmp_path: Path) -> None:
    done = compose("config", "--quiet", environment=write_environment(tmp_path))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_missing_is_named_with_the_command_that_makes_it(
    tmp_path: Path, name: str
) -> None:
    done = compose("config", "--quiet", environment=write_environment(tmp_path, **{name: ""}))

    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if "required" in line] == [
        line for line in done.stderr.splitlines() if f"required variable {name}" in line
    ]
    assert "docker run --rm headrace:0.2.0 env > .env" in done.stderr


def test_the_file_is_written_as_yaml_should_be() -> None:
    done = run_tool("yamllint", "--strict", "-d", RULES, str(FILE))

    assert (done.returncode, done.stdout) == (0, "")


def write_config(folder: Path, name: str) -> Path:
    """Write a file that the Compose file has in it."""
    path = folder / name
    path.write_text(resolve(write_environment(folder))["configs"][name]["content"])
    return path


@pytest.mark.parametrize("site", [":80", "flows.example.org"])
def test_caddy_accepts_its_file(tmp_path: Path, site: str) -> None:
    path = write_config(tmp_path, "caddy")

    done = run_tool("caddy", "validate", "--config", str(path), "--adapter", "caddyfile", SITE=site)

    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr


def test_prometheus_accepts_its_file(tmp_path: Path) -> None:
    done = run_tool("promtool", "check", "config", str(write_config(tmp_path, "prometheus")))

    assert done.returncode == 0, done.stderr
