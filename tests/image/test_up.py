"""`headrace up` in a container, with its data in a volume, killed and started again."""

import os
import re
import signal
from pathlib import Path

import pytest

from deploy.net.http_client import call
from tests.conftest import free_port
from tests.support.acceptance.running_stack import until
from tests.support.image.calls import Start, await_ready, url
from tests.support.image.containers import Container

pytestmark = pytest.mark.slow

USER = 65532


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """An empty volume, which an engine gives to the image's user."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o750)
    os.chown(folder, USER, USER)
    return folder


def key_of(container: Container) -> str:
    """Return the demonstration's key, once it is shown."""
    found = until(lambda: re.search(r"hr_live_[\w.-]+", container.output))
    assert found
    return found[0]


def test_a_stack_with_its_data_in_a_volume_outlives_its_container(
    start: Start, volume: Path
) -> None:
    port = str(free_port())
    first = start("up", data=volume, HEADRACE_PORT=port)
    seconds = await_ready(first)
    key = key_of(first)
    path = f"{url(first)}/api/workflows/greeting-letter/run"
    status, ran = call("POST", path, key=key, body={"inputs": {"name": "Ada"}}, timeout=60)
    assert status == 200, ran
    asked = first.run("headrace", "health")
    assert asked.returncode == 0, asked.stderr
    assert {each.stat().st_uid for each in volume.rglob("*")} == {USER}
    first.send(signal.SIGKILL)
    first.wait()

    second = start("up", data=volume, HEADRACE_PORT=port)
    again = await_ready(second)
    execution = f"{url(second)}/api/executions/{ran['executionId']}"
    assert call("GET", execution, key=key)[1]["status"] == "completed"
    assert call("POST", path, key=key, body={"inputs": {"name": "Ada"}}, timeout=60)[0] == 200
    assert "Z" not in second.processes().values()
    code, took = second.stop()

    print(f"\nup: ready after {seconds:.1f} s, after a kill {again:.1f} s, ended in {took:.1f} s")
    assert code == 0, second.output
    assert not re.search("Traceback|Warning", second.output)


def test_a_stack_without_a_volume_says_that_it_cannot_write(start: Start) -> None:
    container = start("up", HEADRACE_PORT=str(free_port()))

    assert container.wait() == 1
    assert "/data" in container.output
    assert "Traceback" not in container.output
