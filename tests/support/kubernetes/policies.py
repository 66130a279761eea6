"""Verdicts of network policies, as a network of Kubernetes gives them."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.kubernetes.manifests import Manifest, Manifests, containers, pod_labels, selects

NAMESPACE = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One end of a connection: a pod of a namespace, or an address outside."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    """Empty: an address outside."""
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports of a pod by name."""


def peer_of(workload: Manifest) -> Peer:
    """Return the pods of a workload."""
    listed = containers(workload)[0].get("ports", ())
    return Peer(
        labels=pod_labels(workload),
        namespace=workload["metadata"]["namespace"],
        ports={each["name"]: each["containerPort"] for each in listed},
    )


def allows(manifests: Manifests, source: Peer, target: Peer, port: int) -> bool:
    """Return whether policies let the source open a connection to a port of the target."""
    return _passes(manifests, source, target, port, "Egress") and _passes(
        manifests, source, target, port, "Ingress"
    )


def _passes(manifests: Manifests, source: Peer, target: Peer, port: int, direction: str) -> bool:
    own, other = (source, target) if direction == "Egress" else (target, source)
    policies = [
        each["spec"]
        for each in manifests.of_kind("NetworkPolicy")
        if own.namespace == each["metadata"]["namespace"]
        and direction in each["spec"]["policyTypes"]
        and selects(each["spec"]["podSelector"], own.labels)
    ]
    if not policies:
        return True
    peers, rules = ("to", "egress") if direction == "Egress" else ("from", "ingress")
    return any(
        any(_is_peer(each, other, own.namespace) for each in rule[peers])
        and any(_is_port(each, target, port) for each in rule["ports"])
        for policy in policies
        for rule in policy.get(rules, ())
    )


def _is_peer(rule: Manifest, peer: Peer, own_namespace: str) -> bool:
    if "ipBlock" in rule:
        return bool(peer.address) and _is_in(rule["ipBlock"], peer.address)
    if not peer.namespace:
        return False
    if "namespaceSelector" in rule:
        if not selects(rule["namespaceSelector"], {NAMESPACE: peer.namespace}):
            return False
    elif peer.namespace != own_namespace:
        return False
    return selects(rule.get("podSelector", {}), peer.labels)


def _is_in(block: Mapping[str, Any], address: str) -> bool:
    found = ipaddress.ip_address(address)
    if found not in ipaddress.ip_network(block["cidr"]):
        return False
    return not any(found in ipaddress.ip_network(each) for each in block.get("except", ()))


def _is_port(rule: Manifest, target: Peer, port: int) -> bool:
    wanted = rule["port"]
    return port == (target.ports.get(wanted) if isinstance(wanted, str) else wanted)
