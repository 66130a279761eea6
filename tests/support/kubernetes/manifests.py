"""The manifests of Kubernetes, as Kustomize makes them."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
SECRETS = {
    "HEADRACE_SECRET_KEY": "key-of-the-tests-0123456789abcdef",
    "REDIS_PASSWORD": "redis-of-the-tests",
    "POSTGRES_PASSWORD": "postgres-of-the-tests",
    "AWS_ACCESS_KEY_ID": "id-of-the-tests",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
    "GRAFANA_PASSWORD": "grafana-of-the-tests",
}
"""Secrets with the names of those that `headrace env` makes."""
STORES = {
    "HEADRACE_REDIS_URL": "redis://:redis-of-the-tests@10.20.0.10:6379/0",
    "HEADRACE_DATABASE_URL": "postgresql://headrace:pw@10.20.0.20:5432/headrace",
    "HEADRACE_MEDIA_URL": "s3://media/headrace",
    "AWS_ENDPOINT_URL": "https://10.20.0.30",
    "AWS_REGION": "eu-central-1",
}
"""Lines that an operator of the overlay for production adds, with the addresses of its policy."""
ENVIRONMENTS: dict[str, Mapping[str, str]] = {
    "base": {},
    "overlays/single-node": SECRETS,
    "overlays/production": {**SECRETS, **STORES},
}
"""Content of `headrace.env` by the folder of a kustomization."""

Manifest = dict[str, Any]


class Manifests:
    """The objects of one kustomization, found by kind and name."""

    def __init__(self, objects: list[Manifest]) -> None:
        self.objects = objects

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self.objects)

    def of_kind(self, kind: str) -> list[Manifest]:
        """Return the objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def find(self, kind: str, name: str) -> Manifest:
        """Return an object. Raises KeyError."""
        for each in self.of_kind(kind):
            if each["metadata"]["name"] == name:
                return each
        raise KeyError(f"no {kind} {name}")

    def workloads(self) -> list[Manifest]:
        """Return the objects with a template of pods."""
        kinds = ("Deployment", "StatefulSet", "Job")
        return [each for each in self.objects if each["kind"] in kinds]


def build(place: str, folder: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Build a kustomization in a copy of its tree; return the file with all objects.

    `environment` is the content of `headrace.env`, by default that of `ENVIRONMENTS`.
    """
    copy = folder / "kubernetes"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.env"), dirs_exist_ok=True)
    lines = ENVIRONMENTS[place] if environment is None else environment
    if lines:
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (copy / place / "headrace.env").write_text(f"# Secrets of the tests.\n\n{text}")
    done = subprocess.run(
        ["kustomize", "build", str(copy / place)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    built = folder / f"{place.replace('/', '-')}.yaml"
    built.write_text(done.stdout)
    return built


def load(built: Path) -> Manifests:
    """Read the objects of a file."""
    return Manifests(list(yaml.safe_load_all(built.read_text())))


def pod_spec(workload: Manifest) -> Manifest:
    """Return the specification of the pods of a workload."""
    found: Manifest = workload["spec"]["template"]["spec"]
    return found


def pod_labels(workload: Manifest) -> dict[str, str]:
    """Return the labels of the pods of a workload."""
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def containers(workload: Manifest) -> list[Manifest]:
    """Return all containers of the pods of a workload, those that initialize first."""
    spec = pod_spec(workload)
    return [*spec.get("initContainers", ()), *spec["containers"]]


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector selects labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "In", "no other operator is known here"
        if labels.get(each["key"]) not in each["values"]:
            return False
    return True
