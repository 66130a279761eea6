"""Write the dashboards, and the rules for Kubernetes: `python -m deploy.dashboards.generator`."""

from pathlib import Path

from deploy.dashboards.generator.files import write
from deploy.dashboards.generator.prometheus_rule import make_manifest
from deploy.dashboards.written import RULES

MANIFEST = "kubernetes/overlays/production/prometheus-rule.yaml"

if __name__ == "__main__":
    write(Path(__file__).parents[1])
    manifest = Path(__file__).parents[2] / MANIFEST
    manifest.write_text(make_manifest(RULES.read_text(encoding="utf-8")), encoding="utf-8")
