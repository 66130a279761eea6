"""Controllers of the manifests: pods, rolling updates, Jobs, and the endpoints of Services."""

import itertools
import json
import os
import sys
import threading
import time
from pathlib import Path

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.hosts.network import Network
from tests.support.kubernetes import service_proxy
from tests.support.kubernetes.manifests import Manifest, Manifests, selects
from tests.support.kubernetes.pod import Pod
from tests.support.kubernetes.policies import allows, peer_of
from tests.support.kubernetes.probes import find_port

ENDPOINT_SECONDS = 2.0
"""Time for which a Service still leads to a pod whose end has begun, on a cluster that is slow to
tell its nodes."""
PAUSE_SECONDS = 0.1


class Cluster:
    """Runs the objects of a kustomization on the hosts of a network.

    A StatefulSet of one pod is a host with the name of its Service. Other Services are a host with
    a proxy. No packet passes between pods that no NetworkPolicy connects; ports are not looked at.
    Limits of resources and schedulers have no stand-in.
    """

    def __init__(self, network: Network, manifests: Manifests) -> None:
        self.network = network
        self.pods: dict[str, list[Pod]] = {}
        """Pods by the name of their workload, those that are ending included."""
        self._manifests = manifests
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._services: list[_Service] = []
        self._thread = threading.Thread(target=self._follow_endpoints, daemon=True)

    def __enter__(self) -> "Cluster":
        for service in self._manifests.of_kind("Service"):
            if service["spec"].get("clusterIP") != "None":
                self._services.append(_Service(self, service))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        for pod in self.all_pods():
            pod.abandon()

    def apply(self) -> None:
        """Start all pods at once, in no order."""
        for workload in self._manifests.workloads():
            name = workload["metadata"]["name"]
            for _ in range(int(workload["spec"].get("replicas", 1))):
                self.pods.setdefault(name, []).append(self._start_pod(workload))

    @property
    def job(self) -> str:
        """Return the name of the only Job."""
        (job,) = self._manifests.of_kind("Job")
        return str(job["metadata"]["name"])

    def all_pods(self) -> list[Pod]:
        """Return all pods."""
        return [pod for pods in list(self.pods.values()) for pod in list(pods)]

    def current(self, name: str) -> list[Pod]:
        """Return the pods of a workload that are not ending."""
        return [pod for pod in self.pods[name] if not pod.deleted.is_set()]

    def ready(self, name: str) -> list[Pod]:
        """Return the ready pods of a workload."""
        return [pod for pod in self.current(name) if pod.state.is_ready]

    def address(self, service: str) -> str:
        """Return the address of a Service."""
        return self.network.hosts[service].address

    def wait_until_ready(self, timeout: float = 2 * PATIENCE_SECONDS) -> None:
        """Wait until all pods that stay are ready, and all Jobs have succeeded."""
        deadline = time.monotonic() + timeout
        while waiting := [pod for pod in self.all_pods() if not _is_done(pod)]:
            assert time.monotonic() < deadline, explain(waiting)
            time.sleep(PAUSE_SECONDS)

    def roll(self, name: str, timeout: float = 2 * PATIENCE_SECONDS) -> list[Pod]:
        """Replace the pods of a Deployment as `maxSurge: 1` and `maxUnavailable: 0` say.

        Returns the old pods, which may be ending still.
        """
        workload = self._manifests.find("Deployment", name)
        strategy = workload["spec"]["strategy"]["rollingUpdate"]
        assert strategy == {"maxSurge": 1, "maxUnavailable": 0}
        old = self.current(name)
        for each in old:
            new = self._start_pod(workload)
            self.pods[name].append(new)
            deadline = time.monotonic() + timeout
            while not new.state.is_ready:
                assert time.monotonic() < deadline, explain([new])
                time.sleep(PAUSE_SECONDS)
            each.delete()
        return old

    def scale(self, name: str, replicas: int) -> list[Pod]:
        """Start pods of a Deployment, or end some, until there are as many; return those ended."""
        workload = self._manifests.find("Deployment", name)
        found = self.current(name)
        for _ in range(replicas - len(found)):
            self.pods[name].append(self._start_pod(workload))
        surplus = found[replicas:]
        for pod in surplus:
            pod.delete()
        return surplus

    def evict(self, pod: Pod) -> bool:
        """End a pod as `kubectl drain` asks for it, and start another one at once.

        Returns whether its budget allows that now.
        """
        name = pod.workload["metadata"]["name"]
        budget = self._manifests.find("PodDisruptionBudget", name)["spec"]
        missing = len(self.current(name)) - len(self.ready(name))
        if missing >= budget["maxUnavailable"]:
            return False
        pod.delete()
        self.pods[name].append(self._start_pod(pod.workload))
        return True

    def start_again(self, name: str) -> Pod:
        """Start the pod of a Job once more, as the Job of another version would."""
        pod = self._start_pod(self._manifests.find("Job", name))
        self.pods[name].append(pod)
        return pod

    def _start_pod(self, workload: Manifest) -> Pod:
        name = workload["metadata"]["name"]
        if workload["kind"] == "StatefulSet":
            host = self.network.add_host(f"{name}-0", aliases=(workload["spec"]["serviceName"],))
            claims = {
                each["metadata"]["name"]: host.folder / "claims" / each["metadata"]["name"]
                for each in workload["spec"].get("volumeClaimTemplates", ())
            }
        else:
            # Short, for the length of a name of a namespace.
            component = workload["metadata"]["labels"]["app.kubernetes.io/component"]
            host, claims = self.network.add_host(f"{component}-{next(self._numbers)}"), {}
        pod = Pod(self._manifests, workload, host, claims)
        self._separate(pod)
        pod.start()
        return pod

    def _separate(self, pod: Pod) -> None:
        """Lose all packets between the pod and those that no policy lets it connect to, or be
        connected from, on any port."""
        for other in self.all_pods():
            if other.deleted.is_set() or may_connect(self._manifests, pod, other):
                continue
            pod.host.cut(other.host)

    def _follow_endpoints(self) -> None:
        while not self._closing.wait(PAUSE_SECONDS):
            for service in self._services:
                service.follow()


class _Service:
    """A Service with an address of its own."""

    def __init__(self, cluster: Cluster, service: Manifest) -> None:
        self._cluster = cluster
        self._selector = {"matchLabels": service["spec"]["selector"]}
        self._ports = service["spec"]["ports"]
        self._seen: dict[str, float] = {}
        """Time at which each address was last ready."""
        self._written: list[str] = []
        host = cluster.network.add_host(service["metadata"]["name"])
        self._file = host.folder / "endpoints.json"
        self._write({}, [])
        argv = [sys.executable, str(Path(service_proxy.__file__)), str(self._file)]
        self._host, self._argv, self._is_started = host, argv, False

    def follow(self) -> None:
        """Lead to the pods that are ready, and a while longer to those that are ending."""
        now, ports = time.monotonic(), {}
        for pod in self._cluster.all_pods():
            labels = pod.workload["spec"]["template"]["metadata"]["labels"]
            if not selects(self._selector, labels):
                continue
            ports = {
                str(each["port"]): find_port(pod.container, each["targetPort"])
                for each in self._ports
            }
            if pod.state.is_ready:
                self._seen[pod.host.address] = now
            elif not pod.deleted.is_set():
                self._seen.pop(pod.host.address, None)
        pods = sorted(each for each, at in self._seen.items() if now - at < ENDPOINT_SECONDS)
        if pods != self._written:
            self._write(ports, pods)
        if ports and not self._is_started:
            self._write(ports, pods)
            self._is_started = True
            log = self._host.folder / "log"
            self._host.start(self._argv, env={"PATH": os.defpath}, log=log)

    def _write(self, ports: dict[str, int], pods: list[str]) -> None:
        self._written = pods
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"ports": ports, "pods": pods}))
        new.replace(self._file)


def may_connect(manifests: Manifests, one: Pod, other: Pod) -> bool:
    """Return whether policies let one of two pods open a connection to a port of the other."""
    pairs = ((peer_of(one.workload), peer_of(other.workload)),)
    pairs += ((pairs[0][1], pairs[0][0]),)
    return any(
        allows(manifests, source, target, port)
        for source, target in pairs
        for port in target.ports.values()
    )


def explain(pods: list[Pod]) -> str:
    """Return why pods are not as they should be: their states, and the ends of their logs."""
    lines = []
    for pod in pods:
        said = pod.log.read_text(errors="replace")[-1_500:] if pod.log.exists() else ""
        lines.append(f"{pod.name}: {pod.state}\n{said}")
    return "\n\n".join(lines)


def _is_done(pod: Pod) -> bool:
    return pod.state.is_ready or pod.state.has_succeeded or pod.deleted.is_set()
