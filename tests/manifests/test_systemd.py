"""The units of systemd: their syntax, their hardening, and their agreement with the program."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from deploy.cli import COMMANDS
from engine.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
COMMON = UNITS / "headrace-.service.d" / "common.conf"
PROGRAM = "/opt/headrace/venv/bin/headrace"
INSTANCES = (
    "headrace.target",
    "headrace-workers.target",
    "headrace-gateway@8000.service",
    "headrace-worker@1.service",
    "headrace-up.service",
)
SERVICES = [name for name in INSTANCES if name.endswith(".service")]
MAX_EXPOSURE = 1.2
"""Exposure by `systemd-analyze security`, from 0 (least) to 10; above 5 it warns."""
OLDEST = 254
"""First version of systemd that knows the back-off of restarts."""


def find_analyzer() -> str:
    """Return `systemd-analyze`; skip the test where it is missing or too old."""
    analyzer = shutil.which("systemd-analyze")
    if analyzer is None:
        pytest.skip("there is no systemd-analyze here; Debian has it in the package systemd")
    shown = subprocess.run([analyzer, "--version"], capture_output=True, text=True).stdout
    version = int(shown.split()[1])
    if version < OLDEST:
        pytest.skip(f"systemd {version} is older than {OLDEST}")
    return analyzer


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a copy of the units whose program is there."""
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
    return folder


def analyze(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `systemd-analyze` with the units of a folder beside those of the system."""
    return subprocess.run(
        [find_analyzer(), *words],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
    )


def test_systemd_says_nothing_about_the_units(installed: Path) -> None:
    done = analyze(installed, "verify", "--man=no", *INSTANCES)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_unit_with_a_wrong_key_is_noticed(installed: Path) -> None:
    unit = installed / "headrace-up.service"
    unit.write_text(unit.read_text().replace("[Service]", "[Service]\nNoNewPriviledges=yes"))

    assert "NoNewPriviledges" in analyze(installed, "verify", "--man=no", unit.name).stderr


@pytest.mark.parametrize("service", SERVICES)
def test_the_exposure_of_a_service_is_small(installed: Path, service: str) -> None:
    done = analyze(installed, "security", "--offline=true", "--no-pager", service)

    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MAX_EXPOSURE


def read(name: str) -> str:
    """Return a file of the folder."""
    return (UNITS / name).read_text()


def values(text: str, key: str) -> list[str]:
    """Return the values of a directive, in order."""
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_what_runs_is_a_command_of_headrace() -> None:
    started = [
        line for unit in UNITS.glob("*.service") for line in values(unit.read_text(), "Exec.*")
    ]

    assert sorted(line.split()[:2] for line in started) == [
        [PROGRAM, name] for name in ("gateway", "up", "worker")
    ]
    assert {line.split()[1] for line in started} <= COMMANDS.keys()


@pytest.mark.parametrize(
    ("unit", "stages"),
    [("headrace-gateway@.service", 1), ("headrace-worker@.service", 1), ("headrace-up.service", 3)],
)
def test_a_service_has_time_to_drain_before_it_is_killed(unit: str, stages: int) -> None:
    [seconds] = values(read(unit), "TimeoutStopSec")

    assert int(seconds.removesuffix("s")) >= stages * (Settings().drain_seconds + 5) + 15
    assert values(COMMON.read_text(), "KillMode") == ["mixed"]
    assert values(COMMON.read_text(), "KillSignal") == ["SIGTERM"]


def test_children_may_limit_their_memory() -> None:
    # A child that may not set its limits goes on without them: nothing else would tell.
    [allowed] = [line for line in values(COMMON.read_text(), "SystemCallFilter") if "limit" in line]

    assert {"setrlimit", "prlimit64", "setpriority"} <= set(allowed.split())


def test_gateways_stop_before_workers() -> None:
    gateway, worker, workers = (
        read(f"headrace-{name}")
        for name in ("gateway@.service", "worker@.service", "workers.target")
    )

    assert "headrace-workers.target" in values(gateway, "After")[0].split()
    assert values(worker, "Before") == ["headrace-workers.target"]
    # Without it systemd orders this target after headrace.target, and finds a cycle.
    assert values(workers, "Before") == ["headrace.target"]
    assert all(values(each, "PartOf") == ["headrace.target"] for each in (gateway, worker, workers))


def test_the_example_of_settings_has_settings_alone() -> None:
    named = set(re.findall(rf"^(?:# )?({PREFIX}\w+)=", read("headrace.env"), re.MULTILINE))

    assert len(named) > 5
    assert named <= {PREFIX + field.name.upper() for field in fields(Settings)}


def test_commands_run_with_the_settings_of_the_services() -> None:
    script = read("headrace")

    for key in ("EnvironmentFile", "User", "LimitNOFILE", "StateDirectory", "UMask"):
        [value] = values(COMMON.read_text() + read("headrace-up.service"), key)
        assert f"--property={key}={value}" in script
    assert PROGRAM in script
