"""The bench of tools: its page has the figures, and it runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.mcp.cost.__main__ import page

NAMES = (
    *("first_s", "memory_mb", "http.p50_ms", "http.per_second", "http.cpu_ms", "mcp.p50_ms"),
    *("mcp.per_second", "mcp.cpu_ms", "list.p50_ms", "list.per_second", "client.p50_ms"),
    "client_before.p50_ms",
)


def test_the_page_has_all_figures() -> None:
    found = {name: 1.0 + place for place, name in enumerate(NAMES)}

    text = page(found, "0123abcd", (0.5, 2.0), 7, 2.0)

    assert "{" not in text
    assert all(f"{value:,.2f}" in text for value in found.values())


@pytest.mark.slow
def test_the_bench_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.mcp.cost", "--quick", "--output", str(tmp_path)]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert set(NAMES) == set(json.loads((tmp_path / "mcp.json").read_text())["figures"])
    assert "list of 100 tools" in (tmp_path / "mcp.md").read_text()
