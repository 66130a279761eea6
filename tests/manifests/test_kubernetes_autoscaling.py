"""Autoscalers of the overlay for production, and the Ingress that leads callers to it."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.dashboards.written import RULES as ALERT_RULES
from engine.services.metrics import facts  # noqa: F401 (declares facts)
from engine.settings import Settings
from engine.telemetry.metrics.declaring import DECLARATIONS
from tests.support.compose.compose_file import find_tool
from tests.support.kubernetes.environment import resolve
from tests.support.kubernetes.manifests import (
    Manifest,
    Manifests,
    build,
    containers,
    load,
    pod_labels,
    selects,
)

pytestmark = pytest.mark.slow

RULES = {
    "stabilizationWindowSeconds": int,
    "selectPolicy": str,
    "tolerance": str,
    "policies": [{"type": str, "value": int, "periodSeconds": int}],
}
SCALED_OBJECT = {
    "scaleTargetRef": {
        "apiVersion": str,
        "kind": str,
        "name": str,
        "envSourceContainerName": str,
    },
    "pollingInterval": int,
    "cooldownPeriod": int,
    "initialCooldownPeriod": int,
    "idleReplicaCount": int,
    "minReplicaCount": int,
    "maxReplicaCount": int,
    "fallback": {"failureThreshold": int, "replicas": int, "behavior": str},
    "advanced": {
        "restoreToOriginalReplicaCount": bool,
        "horizontalPodAutoscalerConfig": {
            "name": str,
            "behavior": {"scaleUp": RULES, "scaleDown": RULES},
        },
    },
    "triggers": [
        {
            "type": str,
            "name": str,
            "metricType": str,
            "useCachedMetrics": bool,
            "authenticationRef": {"name": str, "kind": str},
            "metadata": {
                "serverAddress": str,
                "query": str,
                "queryParameters": str,
                "threshold": str,
                "activationThreshold": str,
                "namespace": str,
                "customHeaders": str,
                "ignoreNullValues": str,
                "unsafeSsl": str,
                "timeout": str,
                "value": str,
            },
        }
    ],
}
"""The part of KEDA's ScaledObject (2.20) that we may use, with two of its scalers."""
RELABELING = {"targetLabel": str, "replacement": str}
SERVICE_MONITOR = {
    "jobLabel": str,
    "targetLabels": [str],
    "podTargetLabels": [str],
    "selector": {
        "matchLabels": {"app.kubernetes.io/name": str, "app.kubernetes.io/component": str}
    },
    "namespaceSelector": {"any": bool, "matchNames": [str]},
    "endpoints": [
        {
            "port": str,
            "path": str,
            "scheme": str,
            "interval": str,
            "scrapeTimeout": str,
            "honorLabels": bool,
            "relabelings": [RELABELING],
        }
    ],
}
"""The part of the Prometheus operator's ServiceMonitor that we may use."""
POD_MONITOR = {
    "jobLabel": str,
    "selector": SERVICE_MONITOR["selector"],
    "podMetricsEndpoints": SERVICE_MONITOR["endpoints"],
}
"""The part of its PodMonitor that we may use."""
RULES_OF_OPERATOR = {
    "groups": [
        {
            "name": str,
            "rules": [
                {
                    "alert": str,
                    "expr": str,
                    "for": str,
                    "labels": {"severity": str, "finding": str},
                    "annotations": {"summary": str, "description": str, "runbook_url": str},
                }
            ],
        }
    ]
}
"""The part of its PrometheusRule that we may use."""
BEHAVIORS = ("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower")


def misfits(value: Any, schema: Any, place: str = "spec") -> list[str]:
    """Return the places where a value is not as its schema says."""
    if isinstance(schema, type):
        return [] if type(value) is schema else [place]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [place]
        return [found for each in value for found in misfits(each, schema[0], f"{place}[]")]
    if not isinstance(value, dict):
        return [place]
    found = [f"{place}.{key}" for key in value.keys() - schema.keys()]
    for key in value.keys() & schema.keys():
        found += misfits(value[key], schema[key], f"{place}.{key}")
    return found


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    if find_tool("kustomize") is None:
        pytest.skip("there is no kustomize here; `make manifests` installs it")
    return load(build("overlays/production", tmp_path_factory.mktemp("built")))


@pytest.fixture(scope="module")
def scaled(manifests: Manifests) -> Manifest:
    found: Manifest = manifests.find("ScaledObject", "headrace-worker")["spec"]
    return found


def test_keda_knows_each_member(scaled: Manifest) -> None:
    assert misfits(scaled, SCALED_OBJECT) == []
    assert scaled.keys() >= {"scaleTargetRef", "triggers"}
    assert misfits({"triggers": [{"metadata": {"threshold": 2}}]}, SCALED_OBJECT) == [
        "spec.triggers[].metadata.threshold"
    ]


def test_workers_follow_metrics_that_gateways_have(scaled: Manifest) -> None:
    age, held, cpu = scaled["triggers"]

    assert (age["metricType"], held["metricType"]) == ("Value", "AverageValue")
    assert (cpu["type"], cpu["metricType"]) == ("cpu", "Utilization")
    for trigger in (age, held):
        metadata = trigger["metadata"]
        found = re.fullmatch(r'max\((\w+)\{namespace="headrace"\}\)', metadata["query"])
        assert found is not None
        assert found[1] in DECLARATIONS
        assert float(metadata["threshold"]) > 0
        assert metadata["ignoreNullValues"] == "false"
    assert "headrace_oldest_hint_seconds" in age["metadata"]["query"]


def test_workers_never_go_away_and_go_slowly(scaled: Manifest) -> None:
    fallback, behavior = (
        scaled["fallback"],
        scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
    )

    assert 1 <= scaled["minReplicaCount"] <= fallback["replicas"] <= scaled["maxReplicaCount"]
    assert fallback["behavior"] in BEHAVIORS
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300
    (policy,) = behavior["scaleDown"]["policies"]
    assert (policy["type"], policy["value"]) == ("Pods", 1)


def test_replicas_are_left_to_what_scales(manifests: Manifests, scaled: Manifest) -> None:
    targets = [scaled["scaleTargetRef"]]
    targets += [h["spec"]["scaleTargetRef"] for h in manifests.of_kind("HorizontalPodAutoscaler")]

    assert sorted(each["name"] for each in targets) == ["headrace-gateway", "headrace-worker"]
    for target in targets:
        found = manifests.find(target["kind"], target["name"])
        assert found["apiVersion"] == target["apiVersion"]
        # A number in the file would undo the scaling with each `kubectl apply`.
        assert "replicas" not in found["spec"]


def test_rules_of_scaling_are_within_the_bounds_of_kubernetes(
    manifests: Manifests, scaled: Manifest
) -> None:
    behaviors = [scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]]
    behaviors += [h["spec"]["behavior"] for h in manifests.of_kind("HorizontalPodAutoscaler")]

    for rules in (behavior[way] for behavior in behaviors for way in ("scaleUp", "scaleDown")):
        assert 0 <= rules["stabilizationWindowSeconds"] <= 3_600
        for policy in rules["policies"]:
            assert policy["type"] in ("Pods", "Percent")
            assert policy["value"] > 0
            assert 0 < policy["periodSeconds"] <= 1_800


def test_pods_of_one_version_are_spread(manifests: Manifests) -> None:
    for workload in manifests.of_kind("Deployment"):
        spec = workload["spec"]["template"]
        rules = spec["spec"]["topologySpreadConstraints"]

        assert [each["topologyKey"] for each in rules] == [
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        ]
        for rule in rules:
            assert selects(rule["labelSelector"], spec["metadata"]["labels"])
            assert rule["matchLabelKeys"] == ["pod-template-hash"]
            # A cluster of one zone, or with a full node, starts pods all the same.
            assert rule["whenUnsatisfiable"] == "ScheduleAnyway"


def test_prometheus_reads_the_port_of_the_metrics(manifests: Manifests) -> None:
    spec = manifests.find("ServiceMonitor", "headrace-gateway")["spec"]
    service = manifests.find("Service", "headrace-gateway")

    assert misfits(spec, SERVICE_MONITOR) == []
    assert selects(spec["selector"], service["metadata"]["labels"])
    # The job of the dashboards is the value of this label.
    assert service["metadata"]["labels"][spec["jobLabel"]] == "headrace"
    ports = {each["name"] for each in service["spec"]["ports"]}
    check_endpoints(spec["endpoints"], ports)
    jobs = {each["path"]: replaced_job(each) for each in spec["endpoints"]}
    assert jobs == {"/metrics": None, "/metrics/process": "headrace-processes"}


def test_prometheus_reads_each_worker_by_itself(manifests: Manifests) -> None:
    spec = manifests.find("PodMonitor", "headrace-worker")["spec"]
    worker = manifests.find("Deployment", "headrace-worker")
    [container] = containers(worker)

    assert misfits(spec, POD_MONITOR) == []
    assert selects(spec["selector"], pod_labels(worker))
    check_endpoints(spec["podMetricsEndpoints"], {each["name"] for each in container["ports"]})
    assert [replaced_job(each) for each in spec["podMetricsEndpoints"]] == ["headrace-processes"]


def check_endpoints(endpoints: list[dict[str, Any]], ports: set[str]) -> None:
    """Check that endpoints are of these ports and answer before they are asked again."""
    for endpoint in endpoints:
        assert endpoint["port"] in ports
        seconds = [
            re.fullmatch(r"(\d+)s", endpoint[name]) for name in ("scrapeTimeout", "interval")
        ]
        timeout, interval = (int(found[1]) for found in seconds if found)
        assert timeout <= interval


def replaced_job(endpoint: dict[str, Any]) -> str | None:
    """Return the job that an endpoint gives its series, None for that of its monitor."""
    found = [each["replacement"] for each in endpoint.get("relabelings", ())]
    return found[0] if found else None


def test_prometheus_has_the_alert_rules(manifests: Manifests) -> None:
    spec = manifests.find("PrometheusRule", "headrace")["spec"]

    assert misfits(spec, RULES_OF_OPERATOR) == []
    # Kustomize folds lines in its own way.
    assert words(spec) == words(yaml.safe_load(ALERT_RULES.read_text(encoding="utf-8")))


def words(value: Any) -> Any:
    """Return a value whose texts have one blank between words."""
    if isinstance(value, dict):
        return {key: words(each) for key, each in value.items()}
    if isinstance(value, list):
        return [words(each) for each in value]
    return " ".join(value.split()) if isinstance(value, str) else value


def test_the_ingress_passes_streams_and_waits_as_long_as_a_gateway(manifests: Manifests) -> None:
    (ingress,) = manifests.of_kind("Ingress")
    notes = {
        name.removeprefix("nginx.ingress.kubernetes.io/"): value
        for name, value in ingress["metadata"]["annotations"].items()
    }

    assert notes["proxy-buffering"] == notes["proxy-request-buffering"] == "off"
    assert int(notes["proxy-read-timeout"]) > Settings().sync_timeout
    assert int(notes["proxy-send-timeout"]) > Settings().sync_timeout
    assert int(notes["proxy-body-size"].removesuffix("m")) * 2**20 > Settings().max_asset_bytes
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    service = manifests.find("Service", path["backend"]["service"]["name"])
    assert path["backend"]["service"]["port"]["name"] in {
        each["name"] for each in service["spec"]["ports"]
    }


def test_gateways_know_their_public_address(manifests: Manifests) -> None:
    (ingress,) = manifests.of_kind("Ingress")
    environ = resolve(manifests, containers(manifests.find("Deployment", "headrace-gateway"))[0])
    (rule,), (tls,) = ingress["spec"]["rules"], ingress["spec"]["tls"]

    assert urlsplit(environ["HEADRACE_PUBLIC_URL"]).hostname == rule["host"]
    assert tls["hosts"] == [rule["host"]]
    assert environ["HEADRACE_TRUSTED_PROXIES"]
