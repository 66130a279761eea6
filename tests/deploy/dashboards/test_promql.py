"""Prometheus accepts the queries of the dashboards; a stack answers them in tests/observability."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.dashboards.reading import NAMES, read_panels


@pytest.mark.skipif(shutil.which("promtool") is None, reason="this needs promtool")
def test_all_queries_are_promql(tmp_path: Path) -> None:
    queries = {
        target.expr for name in NAMES for panel in read_panels(name) for target in panel.targets
    }
    rules = [{"record": f"query:{number}", "expr": each} for number, each in enumerate(queries)]
    path = tmp_path / "rules.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}))

    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False
    )

    assert len(queries) > 80
    assert done.returncode == 0, done.stderr
    assert f"{len(queries)} rules found" in done.stdout
