"""Wheels and source archives of the Python packages.

A wheel is built of the unpacked source archive, so that both have the same contents.
"""

import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from deploy.packaging.release.commands import ReleaseFailed, run
from gateway.ui import build_pages

HATCHLING = (sys.executable, "-m", "hatchling", "build")


def build_package(folder: Path, scratch: Path, target: Path, environ: Mapping[str, str]) -> Path:
    """Build a source archive of a folder, and a wheel of it; return the wheel.

    Raises ReleaseFailed.
    """
    run((*HATCHLING, "--target", "sdist", "--directory", scratch), folder, environ)
    [archive] = scratch.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(scratch, filter="data")
    unpacked = scratch / archive.name.removesuffix(".tar.gz")
    run((*HATCHLING, "--target", "wheel", "--directory", scratch), unpacked, environ)
    [wheel] = scratch.glob("*.whl")
    archive.rename(target / archive.name)
    return wheel.rename(target / wheel.name)


def require_pages(root: Path) -> None:
    """Build the pages of a clone if its sources of them changed. Raises ReleaseFailed."""
    sources = root / "gateway" / "ui"
    sentence = build_pages.build_if_changed(sources, static_of(root))
    if not build_pages.is_built(sources, static_of(root)):
        raise ReleaseFailed(sentence)


def static_of(root: Path) -> Path:
    """Return the folder of the built pages."""
    return root / "gateway" / "static"
