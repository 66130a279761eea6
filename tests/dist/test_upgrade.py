"""An installation that the previous release has begun, opened by the wheel of `dist/`."""

import sys
from pathlib import Path

import pytest

from tests.support.acceptance.versions.load import computing
from tests.support.acceptance.versions.releases import NoHistory, Release, check_out_previous
from tests.support.dist.installed_wheel import InstalledWheel, WheelStack, clean_environ, stack_in
from tests.support.dist.interpreters import Interpreter

pytestmark = pytest.mark.slow


@pytest.fixture
def previous(tmp_path: Path) -> Release:
    try:
        return check_out_previous(tmp_path / "previous")
    except NoHistory as reason:
        pytest.skip(str(reason))


def run(stack: WheelStack, slug: str, **inputs: str) -> tuple[int, dict[str, object]]:
    return stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": inputs})


def test_the_wheel_goes_on_with_an_installation_of_the_previous_release(
    previous: Release, wheel: Path, tmp_path: Path
) -> None:
    installed = InstalledWheel(
        Interpreter("{}.{}".format(*sys.version_info), sys.executable), tmp_path
    )
    installed.install(wheel)
    command = previous.command("up", "--port", "0")
    with stack_in(tmp_path / "data", command, clean_environ(**previous.environment)) as stack:
        stack.line("Stop ")
        _, saved = stack.api("POST", "/api/workflows", computing().body("Tried"))
        _, first = run(stack, str(saved["slug"]), id="ada")
        key = stack.key
        assert stack.stop() == 0

    with installed.up("data") as stack:
        stack.line("Stop ")
        status, kept = stack.api("GET", f"/api/executions/{first['executionId']}")
        again = run(stack, str(saved["slug"]), id="bob")
        checked = installed.headrace("doctor", "--data-dir", "data/.headrace")
        code = stack.stop()

    assert (status, kept["result"]) == (200, "ada!")
    assert (again[0], again[1]["result"], stack.key) == (200, "bob!", key)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert code == 0
