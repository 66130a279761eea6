"""Scenarios that all official clients of MCP pass, against several gateways and workers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mcp.installed import NODE, install
from tests.support.http.clients.expectations import problems
from tests.support.mcp.scenario_place import Place, scenario_place

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 150
PYTHON = (sys.executable, str(HERE / "programs" / "run_scenario.py"))
TYPESCRIPT = (*NODE, "run_scenario.mjs")
BRIDGE = [sys.executable, "-P", "-m", "deploy", "mcp"]
CLIENTS = {
    "python-modern": (*PYTHON, "modern"),
    "python-legacy": (*PYTHON, "legacy"),
    "python-stdio": (*PYTHON, "stdio"),
    "typescript-modern": (*TYPESCRIPT, "modern"),
    "typescript-legacy": (*TYPESCRIPT, "legacy"),
    "typescript-2025-06-18": (*TYPESCRIPT, "2025-06-18"),
    "typescript-2025-03-26": (*TYPESCRIPT, "2025-03-26"),
}
"""Programs that do the steps of a scenario."""
SCENARIOS: list[dict[str, Any]] = [
    scenario
    for path in sorted((HERE / "scenarios").glob("*.json"))
    for scenario in json.loads(path.read_text(encoding="utf-8"))
]


def applies(scenario: dict[str, Any], client: str) -> bool:
    """Return whether a client can do a scenario."""
    era = "modern" if client.endswith(("-modern", "-stdio")) else "legacy"
    over = "stdio" if client.endswith("-stdio") else "http"
    if client.endswith("2025-03-26") and "since" in scenario:
        return False
    return era in scenario.get("eras", [era]) and over in scenario.get("over", [over])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with scenario_place(tmp_path_factory.mktemp("mcp")) as place:
        yield place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the programs and the TypeScript clients."""
    return install(tmp_path_factory.mktemp("typescript"))


@pytest.mark.parametrize(
    ("scenario", "client"),
    [
        pytest.param(
            scenario,
            client,
            id=f"{scenario['name']} ({client})",
            marks=pytest.mark.xdist_group(client.partition("-")[0]),
        )
        for client in CLIENTS
        for scenario in SCENARIOS
        if applies(scenario, client)
    ],
)
def test_scenario(scenario: dict[str, Any], client: str, place: Place, folder: Path) -> None:
    environ = {
        **os.environ,
        "MCP_URL": place.url,
        "MCP_LAB": place.lab.url,
        "MCP_COMMAND": json.dumps(BRIDGE),
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        CLIENTS[client],
        cwd=folder,
        input=json.dumps({**scenario, "lab": place.lab.variables()}),
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stderr
    saved = json.loads(done.stdout)
    assert problems(scenario, saved, []) == [], json.dumps(saved, indent=1)[:5_000]
