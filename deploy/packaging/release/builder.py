"""The steps that build a release into a folder."""

import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from deploy.packaging.release.checksums import read_checksums, write_checksums
from deploy.packaging.release.commands import ReleaseFailed, run
from deploy.packaging.release.components import (
    CONSTRAINTS,
    write_page_components,
    write_python_components,
)
from deploy.packaging.release.deploy_archive import write_deploy_archive
from deploy.packaging.release.python_packages import build_package, require_pages, static_of
from deploy.packaging.release.registry_hosts import find_registries
from deploy.packaging.release.sources import Sources, copy_sources

CLIENTS = Path("deploy") / "clients"
Report = Callable[[str], None]


def build_release(sources: Sources, target: Path, report: Report) -> None:
    """Build all files of a release into a folder, in place of the former ones.

    Files of the folder that an earlier build has not made stay. Raises ReleaseFailed.
    """
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        scratch, built = Path(temporary), Path(temporary) / "built"
        built.mkdir()
        _build(sources, scratch, built, report)
        if found := [name for path in sorted(built.iterdir()) for name in find_registries(path)]:
            raise ReleaseFailed(f"These files name the host of a registry: {', '.join(found)}")
        write_checksums(built)
        _replace(built, target)


def _build(sources: Sources, scratch: Path, built: Path, report: Report) -> None:
    version = read_version(sources.root)
    report(f"Building {version} of {sources.commit[:12]}: the pages")
    require_pages(sources.root)
    stage = scratch / "sources"
    copy_sources(sources, stage)
    shutil.copytree(static_of(sources.root), static_of(stage))
    report("  the packages")
    wheel = build_package(stage, _new(scratch / "headrace"), built, sources.environ)
    client = stage / CLIENTS / "python"
    build_package(client, _new(scratch / "client"), built, sources.environ)
    program = sources.root / CLIENTS / "typescript" / "build_client.py"
    run((sys.executable, "-P", program, built), sources.root, sources.environ)
    write_deploy_archive(stage, built, f"headrace-deploy-{version}", sources.epoch)
    shutil.copy(stage / CONSTRAINTS, built / f"headrace-{version}-constraints.txt")
    report("  the lists of components")
    names = [f"headrace-{version}-{part}.cdx.json" for part in ("python", "pages")]
    write_python_components(sources, wheel, _new(scratch / "installed"), built / names[0])
    write_page_components(sources, version, _new(scratch / "locked"), built / names[1])


def read_version(root: Path) -> str:
    """Return the version of a tree."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _replace(built: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in read_checksums(target):
        (target / name).unlink(missing_ok=True)
    for path in built.iterdir():
        shutil.copyfile(path, target / path.name)
