"""The base of the build: Debian's image, or one made here where no registry answers."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy.packaging import system_tools
from deploy.packaging.image.builders import Builder

RELEASE = "trixie"
OFFICIAL = f"debian:{RELEASE}-slim"
OWN = f"localhost/headrace-base:{RELEASE}"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TARGETS = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)"


class NoBase(Exception):
    """There is no base, and none can be made here; the text says why."""


def find_base(builder: Builder, cache: Path) -> str:
    """Return the image to build on. Raises NoBase."""
    for image in (OFFICIAL, OWN):
        if builder.has(image):
            return image
    print(f"Asking for {OFFICIAL}", flush=True)
    if builder.pull(OFFICIAL):
        return OFFICIAL
    make_base(builder, cache)
    return OWN


def make_base(builder: Builder, cache: Path) -> None:
    """Make the base from the packages of Debian. Raises NoBase."""
    if not (cache / "etc/os-release").is_file():
        print("No registry of images answers: making the base from Debian's packages", flush=True)
        _require_tools()
        _bootstrap(cache)
    builder.import_folder(cache, OWN)


def _require_tools() -> None:
    if os.geteuid() != 0:
        raise NoBase(f"Run as root, or fetch {OFFICIAL} first.")
    if system_tools.main(["debootstrap"]):
        raise NoBase("There is no debootstrap.")


def _bootstrap(folder: Path) -> None:
    """Fill a folder; one that is not whole is not left behind. Raises NoBase."""
    sources = list(machine_sources())
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", RELEASE, str(half)]
    command += [uri for uri, release in sources if release == RELEASE][:1]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        raise NoBase(f"debootstrap has failed; {half}/debootstrap/debootstrap.log has the reason.")
    if sources:
        lines = "".join(f"deb {uri} {release} main\n" for uri, release in sources)
        (half / "etc/apt/sources.list").write_text(lines, encoding="ascii")
    half.rename(folder)


def machine_sources() -> list[tuple[str, str]]:
    """Return mirrors of Debian that this machine uses, with the parts of the release there."""
    command = ["apt-get", "indextargets", "--format", TARGETS]
    if not shutil.which(command[0]):
        return []
    told = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True).stdout
    return sources_of(told.splitlines())


def sources_of(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Return mirrors and parts of the release from the targets of indexes."""
    found = set()
    for line in lines:
        uri, release, component, kind = (*line.split(), "", "", "", "")[:4]
        is_mirror = uri.startswith(("http://", "https://")) and release.startswith(RELEASE)
        if is_mirror and (component, kind) == ("main", "Packages"):
            found.add((uri.rstrip("/"), release))
    return sorted(found, key=lambda each: each[1])
