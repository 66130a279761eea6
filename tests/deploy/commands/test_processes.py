"""The reference page of processes says what the code does."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import cli
from deploy.commands import workflow_versions
from deploy.commands.stub_provider import stub_provider
from deploy.up import signals
from engine.process.stop_signals import stop_signals
from engine.settings import PREFIX, Settings

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "processes.md").read_text()


def table(heading: str) -> list[list[str]]:
    """Return the cells of the rows of a part's table."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for its end."""
    command = (sys.executable, "-P", "-m", "deploy", *words)
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def test_ports_are_the_defaults_of_the_settings() -> None:
    settings = Settings()

    assert f"`{settings.host}:{settings.port}` by default" in PAGE
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert (settings.health_port, settings.metrics_port) == (0, 0)
    defaults = {option.name: option.default for option in stub_provider.params}
    assert f"`{defaults['host']}:{defaults['port']}` by default" in PAGE


def test_every_named_setting_exists() -> None:
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", PAGE))

    assert len(named) > 8
    assert named <= {PREFIX + name.upper() for name in Settings.__slots__}


def test_exit_codes_are_those_of_the_code() -> None:
    assert [row[0] for row in table("Exit codes")] == ["`0`", "`1`", "`2`", "`3`", "`130`"]
    assert workflow_versions.DIFFERS == 3
    assert cli.INTERRUPTED == signals.KILLED == 130


@pytest.mark.parametrize(
    ("words", "environ", "code"),
    [
        (("--version",), {}, 0),
        (("gateway",), {"HEADRACE_PORT": "no number"}, 1),
        (("frobnicate",), {}, 2),
    ],
)
def test_a_command_ends_with_its_code(
    words: tuple[str], environ: dict[str, str], code: int
) -> None:
    assert run(*words, **environ).returncode == code


@pytest.mark.parametrize("setting", ["HEADRACE_PORT", "HEADRACE_METRICS_PORT"])
def test_a_port_of_another_program_ends_a_gateway(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        ports = {"HEADRACE_PORT": "0", setting: number}

        ended = run("gateway", **ports, HEADRACE_SECRET_KEY="k" * 32)

    place = f"port {number} on 127.0.0.1"
    reason = f"{setting}: {place} cannot be listened on: Address already in use."
    assert (ended.returncode, ended.stderr) == (1, f"headrace: {reason}\n")


def test_signals_that_drain_are_those_of_the_page() -> None:
    draining, *others = [re.findall(r"`(SIG\w+)`", row[0]) for row in table("Signals")]

    assert {signal.Signals[name] for name in draining} == {*stop_signals(), signal.SIGHUP}
    assert others == [[], ["SIGQUIT"], ["SIGKILL"]]
