"""Each command, as the image's user on a read-only root, with a real Redis and PostgreSQL."""

import json
import time

import pytest

from tests.support.image.calls import Start, await_ready, ends_well, installed, url

pytestmark = pytest.mark.slow

CHECKED = ("redis", "workers", "schema", "hints", "history")


def test_the_command_names_its_version_and_its_commands(start: Start) -> None:
    first = start("--version")
    assert ends_well(first).startswith("headrace, version ")
    print(f"\nheadrace --version: {time.monotonic() - first.began:.2f} s")
    assert "gateway" in ends_well(start("--help"))


def test_the_root_cannot_be_written_and_the_user_is_not_root(start: Start) -> None:
    code = (
        "import os, pathlib, tempfile\n"
        "print(os.getpid(), os.getuid(), os.getgid(), os.getgroups())\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "rows = dict(line.split(':', 1) for line in status.splitlines())\n"
        "print(rows['CapEff'].strip(), rows['NoNewPrivs'].strip())\n"
        "for place in ('/', '/data', '/opt/headrace', '/usr', '/tmp'):\n"
        "    try: tempfile.TemporaryFile(dir=place); print(place)\n"
        "    except OSError as error: print(error.errno)\n"
    )

    told = ends_well(start("-c", code, program=["python3.13"])).splitlines()

    assert told[0] == "1 65532 65532 []"
    assert told[1] == "0000000000000000 1"
    assert told[2:] == ["30", "30", "30", "30", "/tmp"]


def test_an_environment_file_is_written_to_the_output(start: Start) -> None:
    told = ends_well(start("env"))

    assert "\nHEADRACE_SECRET_KEY=" in f"\n{told}"


def test_an_installation_runs_in_containers(start: Start, environ: dict[str, str]) -> None:
    """Tables, marker, gateway and worker; a run by HTTP; checks; then both drain."""
    installed(start, environ)
    gateway, worker = start("gateway", **environ), start("worker", **environ)
    seconds = {
        "gateway": await_ready(gateway),
        "worker": await_ready(worker, "HEADRACE_HEALTH_PORT"),
    }
    for container, words in ((gateway, []), (worker, ["worker"])):
        asked = container.run("headrace", "health", *words)
        assert asked.returncode == 0, asked.stderr

    told = ends_well(start("demo", "--url", url(gateway), **environ))
    assert "hr_live_" in told

    checks = start("doctor", "--json", **environ)
    checks.wait()
    states = {each["name"]: each["state"] for each in json.loads(checks.output)["checks"]}
    assert {name: states[name] for name in CHECKED} == dict.fromkeys(CHECKED, "ok")

    stopped = {"worker": worker.stop(), "gateway": gateway.stop()}
    for name, (_, took) in stopped.items():
        print(f"\n{name}: ready after {seconds[name]:.2f} s, ended in {took:.2f} s")
    assert {code for code, _ in stopped.values()} == {0}, gateway.output + worker.output


def test_a_part_without_its_settings_says_so(start: Start) -> None:
    """A sentence and exit code 1, without a traceback."""
    for command in ("gateway", "worker"):
        container = start(command)
        assert container.wait() == 1
        assert "HEADRACE_" in container.output
        assert "Traceback" not in container.output
