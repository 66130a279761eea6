"""The environment of a container, as the kubelet makes it."""

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

from tests.support.kubernetes.manifests import Manifest, Manifests

REFERENCE = re.compile(r"\$(?:\$|\((\w+)\))")
CORES = {"m": 0.001, "": 1.0}


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace each `$(NAME)` that is known; the rest stays, and `$$` is a dollar."""

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else known.get(name, found[0])

    return REFERENCE.sub(replace, text)


def resolve(manifests: Manifests, container: Manifest) -> dict[str, str]:
    """Return the environment of a container: what it draws from others, then its own entries.

    An entry may refer to what is drawn from others and to entries before it. Raises KeyError for a
    ConfigMap, Secret or key that is missing, in which case the kubelet starts nothing.
    """
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        for kind, reference in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if reference in source:
                found |= data_of(manifests, kind, source[reference]["name"])
    for entry in container.get("env", ()):
        if "valueFrom" in entry:
            found[entry["name"]] = _draw(manifests, container, entry["valueFrom"])
        else:
            found[entry["name"]] = expand(entry["value"], found)
    return found


def data_of(manifests: Manifests, kind: str, name: str) -> dict[str, str]:
    """Return the data of a ConfigMap or a Secret. Raises KeyError."""
    found = manifests.find(kind, name)
    data: dict[str, str] = found.get("data", {})
    if kind == "ConfigMap":
        return data
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _draw(manifests: Manifests, container: Manifest, source: Mapping[str, Any]) -> str:
    if "secretKeyRef" in source:
        reference = source["secretKeyRef"]
        return data_of(manifests, "Secret", reference["name"])[reference["key"]]
    kind, _, resource = source["resourceFieldRef"]["resource"].partition(".")
    assert resource == "cpu", "no other resource is drawn from"
    amount, unit = re.fullmatch(r"([\d.]+)(m?)", container["resources"][kind]["cpu"]).groups()  # type: ignore[union-attr]
    return str(math.ceil(float(amount) * CORES[unit]))
