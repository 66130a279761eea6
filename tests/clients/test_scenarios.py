"""Scenarios that all our clients pass, against a real stack behind a proxy with faults.

`make clients` installs the built packages of the clients; without them their sources are used.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import call
from tests.clients.typescript.installed import RUNTIMES, install
from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import BARE, RunningStack, running
from tests.support.http.clients.expectations import problems
from tests.support.http.clients.lab import Lab, lab_before

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLES = ROOT / "examples"
SECONDS = 120
PYTHON = os.environ.get("HEADRACE_CLIENT_PYTHON", sys.executable)
PYTHON_PROGRAM = str(HERE / "programs" / "run_scenario.py")
TYPESCRIPT_PROGRAM = HERE / "programs" / "run_scenario.mjs"
CLIENTS = {
    "python": (PYTHON, PYTHON_PROGRAM, "sync"),
    "python-async": (PYTHON, PYTHON_PROGRAM, "async"),
    **{f"typescript-{name}": (*run, TYPESCRIPT_PROGRAM.name) for name, run in RUNTIMES.items()},
}
"""Programs that do the steps of a scenario."""
SCENARIOS: list[dict[str, Any]] = [
    scenario
    for path in sorted((HERE / "scenarios").glob("*.json"))
    for scenario in json.loads(path.read_text(encoding="utf-8"))
]


@dataclass(frozen=True)
class Place:
    """A stack with the workflows of the scenarios, and the lab before it."""

    stack: RunningStack
    lab: Lab
    key: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("scenarios")
    with (
        running(folder, *BARE, HEADRACE_ALLOW_PRIVATE_URLS="1") as stack,
        lab_before(stack.url) as lab,
    ):
        account = make_account(stack, tier="enterprise")
        capabilities = ("workflow:*", "webhook:receive", "execution:approve")
        options = [each for name in capabilities for each in ("--capability", name)]
        made = json_of(stack, "key", "create", "--account", account["id"], *options)
        key = made["key"]
        hooks = json_of(
            *(stack, "key", "webhook", made["id"], "--url", f"{lab.url}/hooks"),
            HEADRACE_ALLOW_PRIVATE_URLS="1",
        )
        lab.secret = hooks["secret"]
        calls = (HERE / "programs" / "scenario-call.json").read_text(encoding="utf-8")
        letter = (EXAMPLES / "greeting-letter.json").read_text(encoding="utf-8")
        items = (HERE / "programs" / "scenario-items.json").read_text(encoding="utf-8")
        ask = (HERE / "programs" / "scenario-ask.json").read_text(encoding="utf-8")
        media = (HERE / "programs" / "scenario-media.json").read_text(encoding="utf-8")
        for document in (ask, items, media, calls.replace("LAB", lab.url), letter):
            body = json.loads(document)
            assert call("POST", f"{stack.url}/api/workflows", key=key, body=body)[0] == 201
        path = "/api/workflows/greeting-letter/aliases/stable"
        assert call("PUT", stack.url + path, key=key, body={"version": 1})[0] == 200
        yield Place(stack, lab, key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the program and the TypeScript client, as users install it."""
    folder = install(tmp_path_factory.mktemp("typescript"))
    shutil.copy(TYPESCRIPT_PROGRAM, folder)
    return folder


def with_variables(value: Any, variables: dict[str, str]) -> Any:
    """Replace `$lab.…` wherever a text of a scenario is that alone."""
    if isinstance(value, str) and value.startswith("$lab."):
        return variables[value.removeprefix("$lab.")]
    if isinstance(value, dict):
        return {name: with_variables(each, variables) for name, each in value.items()}
    return [with_variables(each, variables) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each["name"])
def test_scenario(scenario: dict[str, Any], client: str, place: Place, folder: Path) -> None:
    variables = place.lab.begin()
    scenario = with_variables(scenario, variables)
    environ = {
        "HEADRACE_URL": place.lab.proxy_url,
        "HEADRACE_API_KEY": place.key,
        "HEADRACE_LAB": place.lab.url,
        "PATH": os.environ["PATH"],
    }
    if sys.executable == PYTHON:
        environ["PYTHONPATH"] = str(ROOT / "deploy" / "clients" / "python")

    done = subprocess.run(
        CLIENTS[client],
        cwd=folder,
        input=json.dumps(scenario),
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stderr
    saved = json.loads(done.stdout)
    found = problems(scenario, saved, place.lab.seen)
    if "calls" in scenario and place.lab.calls[variables["mark"]] != scenario["calls"]:
        found.append(f"{place.lab.calls[variables['mark']]} calls of the lab")
    assert found == [], json.dumps(saved, indent=1)[:5_000]
