"""A real Prometheus answers queries, tells its alerts, and scrapes other targets when told."""

import shutil
from pathlib import Path

import pytest

from tests.support.observability.prometheus import QueryRefused, Series, running_prometheus

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="make observe installs Prometheus"
)
RULES = """
groups:
  - name: of-a-test
    rules:
      - {alert: Always, expr: vector(3) > 2, labels: {severity: warning}}
"""


def test_queries_alerts_and_targets(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    with running_prometheus(tmp_path / "p", [], rules, scrape_seconds=0.2) as server:
        [found] = server.query("vector(2)")
        assert isinstance(found, Series)
        assert (found.value, server.value("absent_metric")) == (2, None)
        with pytest.raises(QueryRefused):
            server.query("sum(")
        server.until(lambda: server.firing() == {"Always"}, "the alert fires")
        assert server.rule_problems() == []

        server.set_targets([f"127.0.0.1:{server.port}"])
        server.until(lambda: len(server.health()) == 1, "the target is known")
        server.await_targets()
