"""The Compose file in a real Docker engine, by the words of its page.

The engine is the test's own, in a network namespace without a registry. Headrace is the image that
`make image` builds; images of others are made of the same programs, Grafana's of an answer alone.
The tests are one story in order. Each prints its figures.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.packaging.image.__main__ import image_name
from deploy.packaging.image.builders import find_builder
from tests.support.acceptance.running_stack import until
from tests.support.compose.callers import Callers
from tests.support.compose.compose_file import find_tool, resolve, write_environment
from tests.support.compose.engine_images import load_stand_ins
from tests.support.compose.project import Project
from tests.support.contract.approvals import delaying
from tests.support.image.engine import docker_engine

TOOLS = ("docker-compose", "busybox", "caddy", "prometheus", "promtool", "valkey-cli", "weed")
MISSING = [name for name in TOOLS if find_tool(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("ENGINE"), reason="`make manifests ENGINE=1` runs a Docker engine"
    ),
    pytest.mark.skipif(bool(MISSING), reason=f"`make manifests ENGINE=1` installs {MISSING}"),
]
URL = "http://localhost:8000"
DEMO: dict[str, str] = {}
"""Output of the demonstration, and its parts: `key`, `account`, `command`, `slow`, `execution`."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The file's services, started once as the page says."""
    builder = find_builder()
    if builder is None or not builder.has(image_name()):
        pytest.skip(f"there is no image {image_name()}: `make image` builds it")
    folder = tmp_path_factory.mktemp("compose")
    services = resolve(write_environment(folder))["services"].values()
    images = {service["image"] for service in services}
    with docker_engine() as engine, engine.inside():
        builder.save(image_name(), folder / "image.tar")
        engine.run("load", "--quiet", "--input", str(folder / "image.tar"))
        load_stand_ins(engine, sorted(images - {"headrace:0.3.0"}))
        project = Project(engine, folder)
        if image_name() != "headrace:0.3.0":
            engine.run("tag", image_name(), "headrace:0.3.0")
        begin(project)
        yield project


def begin(project: Project) -> None:
    """Start the services and the demonstration."""
    began = time.monotonic()
    said = project.follow("Run it by Docker Compose")
    [command] = [line for line in said.splitlines() if line.startswith("curl ")]
    DEMO.update(said=said, command=command)
    DEMO["key"] = re.findall(r"x-api-key: (\S+)'", command)[0]
    DEMO["account"] = re.findall(r"acc_[0-9a-f]+", said)[0]
    say(f"a first answer {time.monotonic() - began:.1f} s after the first command")


def say(text: str) -> None:
    """Print a figure with the load of the machine."""
    print(f"\n{text} (load {os.getloadavg()[0]:.1f})")


def call(method: str, path: str, **more: Any) -> httpx.Response:
    """Call the API with the key of the demonstration, over the published port."""
    headers = {"x-api-key": DEMO["key"]}
    return httpx.request(method, URL + path, headers=headers, timeout=60, **more)


def calling() -> Callers:
    """Return callers of a workflow that takes half a second."""
    return Callers(URL, DEMO["slow"], DEMO["key"])


def test_a_newcomer_comes_to_a_first_answer(project: Project) -> None:
    done = subprocess.run(["sh", "-c", DEMO["command"]], capture_output=True, text=True)

    assert "Dear Ada" in DEMO["said"]
    assert '"success":true' in done.stdout
    DEMO["execution"] = re.findall(r'"executionId":"([^"]+)', done.stdout)[0]
    assert {state.partition("(")[2] for state in project.states().values()} == {"healthy)"}


def test_commands_run_after_cli(project: Project) -> None:
    told = project.run("docker compose run --rm cli doctor")
    link = project.run(f"docker compose run --rm cli login-link --account {DEMO['account']}")

    assert {line[:4].strip() for line in told.splitlines()} == {"ok"}
    assert "workers: 3 alive" in told
    assert link.startswith(f"{URL}/login?token=")


def test_prometheus_finds_each_worker_and_has_the_rules(project: Project) -> None:
    ask = "docker compose exec -T prometheus wget -q -O - http://127.0.0.1:9090/api/v1/"

    def jobs() -> Counter[str]:
        active = json.loads(project.run(f"{ask}targets"))["data"]["activeTargets"]
        return Counter(each["labels"]["job"] for each in active if each["health"] == "up")

    wanted = {"headrace": 2, "headrace-processes": 5, "prometheus": 1}
    assert until(jobs, lambda found: found == wanted)
    groups = json.loads(project.run(f"{ask}rules"))["data"]["groups"]
    assert len({rule["name"] for group in groups for rule in group["rules"]}) == 10


def test_callers_do_not_notice_that_workers_come_and_go(project: Project) -> None:
    made = call("POST", "/api/workflows", json=delaying(seconds=0.5).body("Later"))
    DEMO["slow"] = made.json()["slug"]
    with calling() as callers:
        project.follow("More workers")
        assert len(workers(project)) == 5
        project.run("docker compose up --detach --no-recreate --scale worker=3")
        time.sleep(2)

    say(f"five workers and three again: {callers}")
    assert len(workers(project)) == 3
    assert (callers.noticed, callers.wrong) == ({}, [])


def workers(project: Project) -> list[str]:
    return [name for name in project.states() if name.startswith("worker-")]


@pytest.mark.parametrize("name", ["worker-1", "gateway-2-1"])
def test_the_engine_starts_again_what_dies(project: Project, name: str) -> None:
    with calling() as callers:
        time.sleep(1)
        began = time.monotonic()
        os.kill(int(project.read(name, "{{.State.Pid}}")), signal.SIGKILL)
        until(lambda: project.read(name, "{{.RestartCount}}"), lambda count: count == "1")
        until(lambda: project.read(name, "{{.State.Health.Status}}"), "healthy".__eq__)
        seconds = time.monotonic() - began
        time.sleep(2)

    say(f"{name} healthy {seconds:.1f} s after its death: {callers}")
    assert callers.wrong == []
    assert callers.noticed.keys() <= ({"502", "409"} if name.startswith("gateway") else set())


def test_limits_of_memory_hold(project: Project) -> None:
    limits = {
        name: int(project.read(name, "{{.HostConfig.Memory}}")) // 2**20
        for name in project.states()
    }
    used = project.run("docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'")

    too_much = "docker compose run --rm --entrypoint python cli -c 'bytearray(700_000_000)'"
    project.run(f"{too_much} || test $? = 137")

    say(used)
    assert limits["worker-1"] == 1024
    assert limits["gateway-1-1"] == 768
    assert all(limits.values())


def test_an_upgrade_takes_part_after_part(project: Project) -> None:
    project.run("docker tag headrace:0.3.0 headrace:0.3.1")
    with (project.folder / ".env").open("a") as file:
        file.write("HEADRACE_IMAGE=headrace:0.3.1\n")
    with calling() as callers:
        project.follow("Upgrade")

    say(f"an upgrade: {callers}")
    ours = {name for name in project.states() if name.startswith(("gateway", "worker"))}
    assert {project.read(name, "{{.Config.Image}}") for name in ours} == {"headrace:0.3.1"}
    assert (callers.noticed, callers.wrong) == ({}, [])


def test_volumes_outlive_a_down(project: Project) -> None:
    began = time.monotonic()
    project.run("docker compose down")
    down = time.monotonic() - began
    project.run("docker compose up --detach --wait")

    say(f"down {down:.1f} s, up again {time.monotonic() - began - down:.1f} s")
    check_execution()


def check_execution() -> None:
    found = call("GET", f"/api/executions/{DEMO['execution']}").json()
    assert "Dear Ada" in found["result"]["text"]


def test_a_backup_is_restored_into_new_volumes(project: Project) -> None:
    project.follow("Back up")
    project.run("docker compose down --volumes")
    project.follow("Back up", 1)

    check_execution()
    assert "workers: 3 alive" in project.run("docker compose run --rm cli doctor")
