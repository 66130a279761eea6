"""The units are run by a systemd, with Headrace installed from its wheel."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.systemd.machine import (
    Machine,
    boot,
    copy_of_this_machine,
    find_obstacle,
    run_in_copy,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
PROGRAM = "/opt/headrace/venv/bin"
PARTS = [
    *(f"headrace-worker@{number}.service" for number in (1, 2)),
    *(f"headrace-gateway@{port}.service" for port in (8000, 8001)),
]
ENVIRONMENT = """\
HEADRACE_SECRET_KEY=a-key-for-secrets-of-the-tests-alone
HEADRACE_REDIS_URL=redis://127.0.0.1:6379/0
HEADRACE_DATABASE_URL=sqlite:////var/lib/headrace/history.sqlite
HEADRACE_MEDIA_URL=file:///var/lib/headrace/media
HEADRACE_HOST=0.0.0.0
HEADRACE_PUBLIC_URL=http://127.0.0.1:8000
"""
REDIS = """\
[Service]
DynamicUser=yes
PrivateTmp=yes
ExecStart={server} --appendonly yes --dir /tmp --maxmemory 200mb
"""
FIND_SERVER = "from deploy.stack.redis_server import find_binary; print(find_binary())"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with the units installed as docs/operate/two-hosts.md says."""
    if obstacle := find_obstacle():
        pytest.skip(obstacle)
    python = next(
        (each for each in ("3.13", "3.11") if Path(f"/usr/bin/python{each}").exists()), ""
    )
    if not python:
        pytest.skip("there is no Python in /usr/bin: units do not see home folders")
    folder = tmp_path_factory.mktemp("systemd")
    with copy_of_this_machine(folder) as root:
        install_headrace(root, f"/usr/bin/python{python}")
        install_units(root)
        with boot(root, folder / "cgroups", folder / "log") as running:
            running.run("systemd-sysusers")
            running.run("systemd-tmpfiles", "--create", "headrace.conf")
            yield running


def install_headrace(root: Path, python: str) -> None:
    """Install a wheel of this tree into the copy."""
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir")
    subprocess.run([*build, str(root / "opt" / "headrace"), str(ROOT)], check=True)
    [wheel] = (root / "opt" / "headrace").glob("*.whl")
    run_in_copy(root, python, "-m", "venv", "/opt/headrace/venv")
    run_in_copy(root, f"{PROGRAM}/pip", "install", "--quiet", f"/opt/headrace/{wheel.name}")


def install_units(root: Path) -> None:
    """Copy the files as the page says."""
    system = root / "etc" / "systemd" / "system"
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.target")):
        shutil.copy(unit, system)
    shutil.copytree(UNITS / "headrace-.service.d", system / "headrace-.service.d")
    for kind in ("sysusers", "tmpfiles"):
        target = root / "etc" / f"{kind}.d" / "headrace.conf"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(UNITS / f"headrace.{kind}.conf", target)
    (root / "etc" / "headrace").mkdir()
    (root / "etc" / "headrace" / "headrace.env").write_text(ENVIRONMENT)
    shutil.copy(UNITS / "headrace", root / "usr" / "local" / "bin" / "headrace")
    server = run_in_copy(root, f"{PROGRAM}/python", "-c", FIND_SERVER)
    (system / "redis-for-tests.service").write_text(REDIS.format(server=server))


def eventually(check: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a check holds."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.2)


def is_ready(machine: Machine, port: int) -> bool:
    """Return whether a gateway can serve."""
    return "is ready" in machine.run("headrace", "health", "--port", str(port), check=False)


def test_gateways_and_workers_run_with_all_restrictions(machine: Machine) -> None:
    machine.run("systemctl", "start", "redis-for-tests")
    eventually(lambda: "marked" in machine.run("headrace", "init", check=False))
    machine.run("headrace", "migrate")
    machine.run("systemctl", "enable", "--now", "headrace.target", *PARTS)
    eventually(lambda: is_ready(machine, 8000) and is_ready(machine, 8001))

    shown = machine.run("headrace", "demo", "--url", "http://127.0.0.1:8000")
    found = json.loads(machine.run("headrace", "doctor", "--json", check=False))

    assert "all the best" in shown
    assert [one["name"] for one in found["checks"] if one["state"] == "failed"] == []
    pid = machine.show(PARTS[0], "MainPID")
    status = machine.run("cat", f"/proc/{pid}/status")
    assert {"Seccomp:\t2", "NoNewPrivs:\t1", "CapBnd:\t0000000000000000"} <= set(
        status.splitlines()
    )


def test_a_worker_that_is_killed_comes_back(machine: Machine) -> None:
    worker = PARTS[0]
    before = machine.show(worker, "MainPID")
    assert int(before) > 1

    machine.run("kill", "-9", before)

    eventually(lambda: machine.show(worker, "MainPID") not in {before, "0"})
    eventually(lambda: machine.show(worker, "ActiveState") == "active")


def test_the_target_stops_all_parts_in_order(machine: Machine) -> None:
    machine.run("systemctl", "stop", "headrace.target", *PARTS)

    assert [machine.show(part, "ActiveState") for part in PARTS] == ["inactive"] * 4
    assert [machine.show(part, "ExecMainStatus") for part in PARTS] == ["0"] * 4
    ended = [int(machine.show(part, "ExecMainExitTimestampMonotonic")) for part in PARTS]
    assert max(ended[2:]) <= min(ended[:2])


def test_the_whole_stack_runs_as_one_unit(machine: Machine) -> None:
    machine.run("rm", "-rf", "/etc/headrace/headrace.env", "/var/lib/headrace")
    machine.run("systemctl", "start", "headrace-up")
    eventually(lambda: is_ready(machine, 8000))

    found = json.loads(machine.run("headrace", "doctor", "--json", check=False))
    machine.run("systemctl", "stop", "headrace-up")

    assert [one["name"] for one in found["checks"] if one["state"] == "failed"] == []
    assert machine.show("headrace-up", "ExecMainStatus") == "0"
