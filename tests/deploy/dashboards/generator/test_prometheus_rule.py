"""Kubernetes has the same alert rules as everybody else."""

import pytest

from deploy.dashboards.generator.prometheus_rule import make_manifest
from deploy.dashboards.written import RULES

MANIFEST = RULES.parents[1] / "kubernetes/overlays/production/prometheus-rule.yaml"


def test_the_manifest_has_the_rules_of_prometheus() -> None:
    yaml = pytest.importorskip("yaml", reason="comes with schemathesis")

    found = yaml.safe_load(MANIFEST.read_text())

    assert found["kind"] == "PrometheusRule"
    assert found["spec"] == yaml.safe_load(RULES.read_text())


def test_the_manifest_is_made_of_the_rules() -> None:
    # Written by `python -m deploy.dashboards.generator`.
    assert MANIFEST.read_text() == make_manifest(RULES.read_text())


def test_rules_are_indented_and_comments_above_them_left_out() -> None:
    made = make_manifest("# For Prometheus.\ngroups:\n  - name: one\n")

    assert made.endswith("spec:\n  groups:\n    - name: one\n")
