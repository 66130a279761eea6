"""Search for hosts of package and image registries, which no file of a release names.

Which registry an installation uses is a choice of its operator.
"""

import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

# A package of Debian has the name of this host; an image's name goes on after it.
DOCKER = r"docker(?=[.]io[/:])"
REGISTRIES = {
    "org": ("pypi", "pythonhosted", "npmjs", "deb[.]debian", "security[.]debian"),
    "io": (DOCKER, "ghcr", "quay", "registry[.]k8s", "gcr"),
    "com": ("yarnpkg", "hub[.]docker", "mcr[.]microsoft"),
}
"""Names of registries by the top-level domain of their hosts."""
HOST = re.compile(
    "|".join(
        rf"(?<![\w-])(?:{'|'.join(names)})[.]{domain}(?![\w-])"
        for domain, names in REGISTRIES.items()
    ).encode(),
    re.IGNORECASE,
)


def names_registry(content: bytes) -> bool:
    """Return whether a text names a host of a registry."""
    return HOST.search(content) is not None


def find_registries(path: Path) -> list[str]:
    """Return the names of files that name a registry: the file itself, or members of an archive."""
    return [name for name, content in _contents(path) if names_registry(content)]


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                yield f"{path.name}: {name}", wheel.read(name)
    elif path.suffix in (".gz", ".tgz"):
        with tarfile.open(path) as archive:
            for member in archive:
                if content := archive.extractfile(member):
                    yield f"{path.name}: {member.name}", content.read()
    else:
        yield path.name, path.read_bytes()
