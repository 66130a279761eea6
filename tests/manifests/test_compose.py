"""The tools of each format accept the Compose file and the files in it."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.dashboards.written import write_all
from tests.support.compose.compose_file import (
    FILE,
    PAGE,
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
    assert "docker run --rm headrace:0.3.0 env > .env" in done.stderr


def test_the_file_is_written_as_yaml_should_be() -> None:
    done = run_tool("yamllint", "--strict", "-d", RULES, str(FILE))

    assert (done.returncode, done.stdout) == (0, "")


def test_the_override_of_the_page_changes_the_number_of_workers(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    override = tmp_path / "compose.override.yaml"
    override.write_text(block)

    found = resolve(write_environment(tmp_path), override)["services"]["worker"]

    assert found["deploy"]["replicas"] == 5
    assert found["deploy"]["resources"]["limits"]["memory"]


def test_variables_of_the_environment_file_reach_workers_and_some_reach_gateways(
    tmp_path: Path,
) -> None:
    more = {"OPENAI_API_KEY": "sk-1", "HEADRACE_SYNC_TIMEOUT": "30"}
    services = resolve(write_environment(tmp_path, **more))["services"]

    assert more.items() <= services["worker"]["environment"].items()
    assert services["gateway-1"]["environment"]["HEADRACE_SYNC_TIMEOUT"] == "30"
    assert "OPENAI_API_KEY" not in services["gateway-1"]["environment"]


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
    watched = write_all(tmp_path / "watch", "", "")[0].parents[1]
    path = write_config(tmp_path, "prometheus")
    path.write_text(path.read_text().replace("/etc/headrace/", f"{watched}/"))

    done = run_tool("promtool", "check", "config", str(path))

    assert done.returncode == 0, done.stderr
    assert "1 rule files found" in done.stdout
