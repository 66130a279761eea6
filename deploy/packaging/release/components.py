"""Lists of components (SBOM) in CycloneDX JSON: of the wheel with its dependencies, of the pages.

They name no registry, no path and no time but that of the commit.
"""

import hashlib
import json
import shutil
import sys
import uuid
import venv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.packaging.release.commands import ReleaseFailed, run
from deploy.packaging.release.registry_hosts import names_registry
from deploy.packaging.release.sources import Sources
from gateway.ui import build_pages

CONSTRAINTS = Path("deploy") / "packaging" / "constraints.txt"
"""Versions of all dependencies with which releases are built and tried."""
EXTRAS = "[mcp,otel,postgres]"
"""Extras of an installation on several machines, whose versions and components a release lists."""
LOCK_FILES = ("package.json", "package-lock.json")
JSON_FILE = "components.json"


def write_python_components(sources: Sources, wheel: Path, scratch: Path, target: Path) -> None:
    """Write the components of an environment with the wheel and EXTRAS. Raises ReleaseFailed."""
    root = sources.root
    python = install_alone(f"{wheel}{EXTRAS}", scratch / "environment", root / CONSTRAINTS)
    listed = scratch / JSON_FILE
    cyclonedx = (Path(sys.executable).parent / "cyclonedx-py", "environment", python)
    project = ("--pyproject", root / "pyproject.toml", "--output-reproducible", "--of", "JSON")
    run((*cyclonedx, *project, "-o", listed), root)
    _write(json.loads(listed.read_text(encoding="utf-8")), sources.epoch, target)


def install_alone(wheel: str, folder: Path, constraints: Path | None) -> Path:
    """Install a wheel into a new environment without pip; return its Python.

    Raises ReleaseFailed.
    """
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")
    only = () if constraints is None else ("--constraint", constraints)
    run((*pip, *only, wheel), folder, {"PYTHONPATH": ""})
    return python


def write_page_components(sources: Sources, version: str, scratch: Path, target: Path) -> None:
    """Write the packages that the built pages have parts of. Raises ReleaseFailed."""
    node = build_pages.installed_node()
    if node is None:
        raise ReleaseFailed("Node is missing: `make dist` installs it")
    # npm names the list after its folder.
    folder = scratch / "headrace-pages"
    folder.mkdir()
    for name in LOCK_FILES:
        shutil.copy(sources.root / "gateway" / "ui" / name, folder)
    options = ("--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev")
    npm = (node, build_pages.npm_of(node), "sbom", *options)
    document = json.loads(run(npm, folder, build_pages.with_node(node)))
    document["metadata"]["component"] |= {"name": folder.name, "version": version}
    _write(document, sources.epoch, target)


def make_reproducible(document: dict[str, Any], epoch: int) -> dict[str, Any]:
    """Return a list with the time of the commit, a number of its own, and no place of a file."""
    cleaned: dict[str, Any] = _without_places(document)
    cleaned["metadata"]["timestamp"] = datetime.fromtimestamp(epoch, UTC).isoformat()
    cleaned.pop("serialNumber", None)
    digest = hashlib.sha256(json.dumps(cleaned, sort_keys=True).encode()).hexdigest()
    cleaned["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, digest).urn
    return cleaned


def _write(document: dict[str, Any], epoch: int, target: Path) -> None:
    text = json.dumps(make_reproducible(document, epoch), indent=1, sort_keys=True)
    target.write_text(text + "\n", encoding="utf-8")


def _without_places(value: Any) -> Any:
    """Return a value without references to registries and to files of the builder's machine."""
    if isinstance(value, dict):
        return {name: _without_places(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_places(each) for each in value if not _is_place(each)]
    return value


def _is_place(value: Any) -> bool:
    address = value.get("url", "") if isinstance(value, dict) else ""
    return address.startswith("file:") or names_registry(address.encode())
