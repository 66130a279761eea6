"""The objects of Kubernetes agree with each other, with the settings and with the Compose file."""

import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine.settings import PREFIX, Settings
from tests.support.compose.compose_file import find_tool, read_file
from tests.support.kubernetes.environment import data_of, resolve
from tests.support.kubernetes.manifests import (
    ENVIRONMENTS,
    Manifest,
    Manifests,
    build,
    containers,
    load,
    pod_labels,
    pod_spec,
    selects,
)
from tests.support.kubernetes.policies import Peer, allows, peer_of
from tests.support.kubernetes.probes import find_port

pytestmark = pytest.mark.slow
OVERLAYS = ("overlays/single-node", "overlays/production")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
GATEWAY = {"app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "gateway"}
WORKER = {"app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "worker"}
MIGRATE = {"app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "migrate"}
STORE_URLS = ("HEADRACE_REDIS_URL", "HEADRACE_DATABASE_URL", "AWS_ENDPOINT_URL")
PORTS = {"http": 80, "https": 443}


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Manifests:
    if find_tool("kustomize") is None:
        pytest.skip("there is no kustomize here; `make manifests` installs it")
    return load(build(request.param, tmp_path_factory.mktemp("built")))


def is_ours(workload: Manifest) -> bool:
    return pod_labels(workload)["app.kubernetes.io/name"] == "headrace"


def test_each_setting_exists(manifests: Manifests) -> None:
    settings = {PREFIX + field.name.upper() for field in fields(Settings)}
    named = set()
    for workload in filter(is_ours, manifests.workloads()):
        for container in containers(workload):
            named |= resolve(manifests, container).keys()

    assert {name for name in named if name.startswith(PREFIX)} <= settings
    assert {"HEADRACE_REDIS_URL", "HEADRACE_DATABASE_URL", "HEADRACE_SECRET_KEY"} <= named


def test_selectors_select_the_pods_of_their_workload_alone(manifests: Manifests) -> None:
    labels = {each["metadata"]["name"]: pod_labels(each) for each in manifests.workloads()}
    chosen = {}
    for each in manifests:
        name, spec = each["metadata"]["name"], each.get("spec", {})
        if each["kind"] in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
            selector = spec["selector"]
        elif each["kind"] == "Service":
            selector = {"matchLabels": spec["selector"]}
        else:
            continue
        chosen[each["kind"], name] = [w for w, found in labels.items() if selects(selector, found)]

    assert len(chosen) >= 5
    assert {key: found for key, found in chosen.items() if found != [key[1]]} == {}


def test_ports_of_probes_and_services_exist(manifests: Manifests) -> None:
    for workload in manifests.workloads():
        for container in containers(workload):
            for probe in (container[kind] for kind in PROBES if kind in container):
                action = probe.get("httpGet") or probe.get("tcpSocket")
                assert action is None or find_port(container, action["port"])
    for service in manifests.of_kind("Service"):
        workload = next(
            each
            for each in manifests.workloads()
            if selects({"matchLabels": service["spec"]["selector"]}, pod_labels(each))
        )
        for port in service["spec"]["ports"]:
            assert port["port"] == find_port(containers(workload)[0], port["targetPort"])


def test_ports_are_those_of_the_settings(manifests: Manifests) -> None:
    for name, ports in {
        "headrace-gateway": {"http": "HEADRACE_PORT", "metrics": "HEADRACE_METRICS_PORT"},
        "headrace-worker": {"health": "HEADRACE_HEALTH_PORT"},
    }.items():
        container = containers(manifests.find("Deployment", name))[0]
        environ = resolve(manifests, container)
        assert {port: environ[setting] for port, setting in ports.items()} == {
            each["name"]: str(each["containerPort"]) for each in container["ports"]
        }


def test_containers_that_stay_are_probed(manifests: Manifests) -> None:
    for workload in manifests.workloads():
        if workload["kind"] != "Job":
            (container,) = containers(workload)
            assert all(probe in container for probe in PROBES)


def test_containers_can_do_little(manifests: Manifests) -> None:
    for workload in manifests.workloads():
        pod = pod_spec(workload)
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == (
            65532 if is_ours(workload) else pod["securityContext"]["fsGroup"]
        )
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        volumes = {each["name"] for each in pod.get("volumes", ())}
        volumes |= {
            each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", ())
        }
        for container in containers(workload):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert container["resources"]["limits"].keys() == {"memory"}
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert mounts["tmp"] == "/tmp"
            assert mounts.keys() <= volumes


def test_a_stop_waits_longer_than_the_sleep_and_the_drain(manifests: Manifests) -> None:
    for workload in manifests.of_kind("Deployment"):
        (container,) = containers(workload)
        drain = float(resolve(manifests, container)["HEADRACE_DRAIN_SECONDS"])
        sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {"seconds": 0})
        grace = pod_spec(workload)["terminationGracePeriodSeconds"]

        assert grace >= sleep["seconds"] + drain + 15
        assert container["livenessProbe"]["terminationGracePeriodSeconds"] > sleep["seconds"]
    assert "preStop" in containers(manifests.find("Deployment", "headrace-gateway"))[0]["lifecycle"]


def test_a_node_can_be_drained(manifests: Manifests) -> None:
    budgets = manifests.of_kind("PodDisruptionBudget")

    assert {each["metadata"]["name"] for each in budgets} == {"headrace-gateway", "headrace-worker"}
    for budget in budgets:
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_an_update_never_has_fewer_pods(manifests: Manifests) -> None:
    for workload in manifests.of_kind("Deployment"):
        strategy = workload["spec"]["strategy"]
        assert strategy == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }


def test_images_have_a_version(manifests: Manifests) -> None:
    images = {each["image"] for w in manifests.workloads() for each in containers(w)}
    services = read_file()["services"]
    of_compose = {services[name]["image"] for name in ("valkey", "postgres", "s3")}

    assert all(re.search(r":\d+\.\d+(\.\d+)?$", each) for each in images)
    assert {each for each in images if "headrace:" not in each} <= of_compose


def test_the_job_has_the_version_in_its_name_and_names_that_stay(manifests: Manifests) -> None:
    (job,) = manifests.of_kind("Job")

    assert [each["args"] for each in containers(job)] == [["init"], ["migrate"]]
    assert pod_spec(job)["restartPolicy"] == "OnFailure"
    for container in containers(job):
        number = job["metadata"]["name"].removeprefix("headrace-migrate-").replace("-", ".")
        assert container["image"].endswith(f"headrace:{number}")
        # A name with a digest of the content would change the Job, which cannot be changed.
        assert container["envFrom"] == [{"secretRef": {"name": "headrace-migrate"}}]
    for workload in manifests.of_kind("Deployment"):
        for source in containers(workload)[0]["envFrom"]:
            (reference,) = source.values()
            assert re.fullmatch(r"headrace-[a-z0-9]{10}", reference["name"])


def test_secrets_are_nowhere_but_in_secrets(manifests: Manifests) -> None:
    values = set(data_of(manifests, "Secret", "headrace-migrate").values())
    values -= {"eu-central-1"}
    texts = [str(each) for each in manifests if each["kind"] != "Secret"]

    assert [value for value in values for text in texts if value in text] == []


def pods_of(manifests: Manifests, service: str) -> Peer:
    """Return the pods behind a Service of the namespace."""
    found = manifests.find("Service", service)
    selector = {"matchLabels": found["spec"]["selector"]}
    workload = next(w for w in manifests.workloads() if selects(selector, pod_labels(w)))
    return peer_of(workload)


def test_policies_allow_the_stores_that_the_variables_name(manifests: Manifests) -> None:
    asked = 0
    for workload in filter(is_ours, manifests.workloads()):
        for container in containers(workload):
            environ = resolve(manifests, container)
            for name in STORE_URLS:
                if workload["kind"] == "Job" and name not in environ:
                    continue
                url = urlsplit(environ[name])
                assert url.hostname is not None
                port = url.port or PORTS[url.scheme]
                named = [each["metadata"]["name"] for each in manifests.of_kind("Service")]
                target = (
                    pods_of(manifests, url.hostname)
                    if url.hostname in named
                    else Peer(address=url.hostname)
                )
                assert allows(manifests, peer_of(workload), target, port), (workload, name)
                asked += 1
    assert asked >= 8


@pytest.mark.parametrize(
    ("address", "port", "is_allowed"),
    [
        ("93.184.216.34", 443, True),
        ("93.184.216.34", 80, True),
        ("2606:2800:220:1::1", 443, True),
        ("93.184.216.34", 25, False),
        ("10.1.2.3", 443, False),
        ("172.20.0.1", 443, False),
        ("192.168.1.1", 80, False),
        ("100.64.0.1", 443, False),
        ("169.254.169.254", 80, False),
        ("fd00:ec2::254", 80, False),
        ("fe80::1", 80, False),
    ],
)
def test_workers_reach_the_internet_and_no_private_network(
    manifests: Manifests, address: str, port: int, is_allowed: bool
) -> None:
    target = Peer(address=address)

    assert allows(manifests, Peer(labels=WORKER, namespace="headrace"), target, port) is is_allowed
    for labels in (GATEWAY, MIGRATE):
        assert not allows(manifests, Peer(labels=labels, namespace="headrace"), target, port)


@pytest.mark.parametrize(
    ("namespace", "target", "port", "is_allowed"),
    [
        ("ingress-nginx", "headrace-gateway", 8000, True),
        ("traefik", "headrace-gateway", 8000, True),
        ("monitoring", "headrace-gateway", 9000, True),
        ("monitoring", "headrace-worker", 8001, True),
        ("ingress-nginx", "headrace-gateway", 9000, False),
        ("monitoring", "headrace-gateway", 8000, False),
        ("default", "headrace-gateway", 8000, False),
        ("default", "headrace-worker", 8001, False),
        ("headrace", "headrace-worker", 8001, False),
    ],
)
def test_policies_allow_callers_by_their_namespace(
    manifests: Manifests, namespace: str, target: str, port: int, is_allowed: bool
) -> None:
    found = peer_of(manifests.find("Deployment", target))

    assert allows(manifests, Peer(namespace=namespace), found, port) is is_allowed


def test_names_are_looked_up_by_all(manifests: Manifests) -> None:
    dns = Peer(labels={"k8s-app": "kube-dns"}, namespace="kube-system")

    for workload in manifests.workloads():
        assert allows(manifests, peer_of(workload), dns, 53)


def test_stores_are_reached_by_our_pods_alone(manifests: Manifests) -> None:
    for store in manifests.of_kind("StatefulSet"):
        target = peer_of(store)
        (port,) = target.ports.values()

        assert allows(manifests, Peer(labels=GATEWAY, namespace="headrace"), target, port)
        assert not allows(manifests, Peer(labels={}, namespace="headrace"), target, port)
        assert not allows(manifests, Peer(labels=GATEWAY, namespace="default"), target, port)
        assert not allows(manifests, target, Peer(address="93.184.216.34"), 443)


def test_an_unfinished_environment_is_told_by_the_name_of_its_key(tmp_path: Path) -> None:
    if find_tool("kustomize") is None:
        pytest.skip("there is no kustomize here; `make manifests` installs it")
    environment = ENVIRONMENTS["overlays/single-node"]
    manifests = load(build("overlays/production", tmp_path, environment))

    with pytest.raises(KeyError, match="HEADRACE_REDIS_URL"):
        resolve(manifests, containers(manifests.find("Deployment", "headrace-worker"))[0])
