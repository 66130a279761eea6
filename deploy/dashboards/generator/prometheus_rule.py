"""The alert rules as the Prometheus operator of Kubernetes takes them."""

HEAD = """\
# The alert rules of deploy/alerts/rules.yaml, written by `python -m deploy.dashboards.generator`.
# yamllint disable rule:line-length
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: headrace
spec:
"""


def make_manifest(rules: str) -> str:
    """Return the manifest with the same rules as a file of Prometheus."""
    lines = [line for line in rules.splitlines() if not line.startswith("#")]
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in lines)
