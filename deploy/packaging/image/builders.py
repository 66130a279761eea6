"""Programs that build images: buildah, docker and podman, whichever is here."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTAINERFILE = "deploy/packaging/Containerfile"
NAMES = ("buildah", "docker", "podman")
ANSWER_SECONDS = 20
PULL_SECONDS = 120
LIMITS = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """Contents of one build."""

    image: str
    base: str
    timestamp: int
    """Time of all files of the image, in seconds."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    """Files that steps of the build may read, which are not in the image."""


class Builder:
    """One program that builds images."""

    def __init__(self, name: str) -> None:
        self.name = name

    def build_command(self, request: BuildRequest, context: Path) -> list[str]:
        """Return the command of a build."""
        arguments = {
            "BASE": request.base,
            "SOURCE_DATE_EPOCH": str(request.timestamp),
            **request.arguments,
        }
        return [
            *(self.name, "build", "--file", str(context / CONTAINERFILE), "--tag", request.image),
            *(word for each in arguments.items() for word in ("--build-arg", "=".join(each))),
            *(
                word
                for name, path in request.secrets.items()
                for word in ("--secret", f"id={name},src={path}")
            ),
            *self._own_options(request),
            str(context),
        ]

    def _own_options(self, request: BuildRequest) -> list[str]:
        if self.name == "docker":
            return ["--pull=false"]
        # The former format has the health check, which that of OCI lacks.
        options = ["--format", "docker", "--layers", "--timestamp", str(request.timestamp)]
        isolation = os.environ.get("BUILDAH_ISOLATION", "chroot")
        return [*options, "--pull=never", "--isolation", isolation, *_own_limits()]

    def has(self, image: str) -> bool:
        """Return whether an image is here."""
        inspect = [self.name, "inspect", "--type", "image", image]
        return _succeeds(inspect, ANSWER_SECONDS)

    def pull(self, image: str) -> bool:
        """Fetch an image; return whether its registry gave it."""
        return _succeeds([self.name, "pull", "--quiet", image], PULL_SECONDS)

    def import_folder(self, folder: Path, image: str) -> None:
        """Make an image of a folder. Raises SubprocessError."""
        if self.name == "buildah":
            container = _read([self.name, "from", "scratch"])
            _read([self.name, "add", "--quiet", container, str(folder), "/"])
            _read([self.name, "commit", "--quiet", "--rm", container, image])
            return
        archive = ["tar", "-C", str(folder), "-c", "."]
        with subprocess.Popen(archive, stdout=subprocess.PIPE) as archived:
            subprocess.run([self.name, "import", "-", image], stdin=archived.stdout, check=True)

    @contextlib.contextmanager
    def unpacked(self, image: str, folder: Path) -> Iterator[Path]:
        """Yield the root of an image, a folder of its own or `folder`. Raises SubprocessError."""
        if self.name == "buildah":
            container = _read([self.name, "from", "--pull-never", image])
            try:
                yield Path(_read([self.name, "mount", container]))
            finally:
                _read([self.name, "rm", container])
            return
        container = _read([self.name, "create", image])
        try:
            with subprocess.Popen(
                [self.name, "export", container], stdout=subprocess.PIPE
            ) as exported:
                unpack = ["tar", "-C", str(folder), "-x", "--same-owner", "-p"]
                subprocess.run(unpack, stdin=exported.stdout, check=True)
            yield folder
        finally:
            _read([self.name, "rm", container])

    def save(self, image: str, archive: Path) -> None:
        """Write an image into an archive that docker loads. Raises SubprocessError."""
        if self.name == "buildah":
            _read([self.name, "push", "--quiet", image, f"docker-archive:{archive}:{image}"])
        else:
            _read([self.name, "save", "--output", str(archive), image])

    def configuration(self, image: str) -> Mapping[str, Any]:
        """Return how containers of an image start, as docker names it. Raises SubprocessError."""
        told = json.loads(_read([self.name, "inspect", "--type", "image", image]))
        found: Mapping[str, Any]
        found = told["Docker"]["config"] if self.name == "buildah" else told[0]["Config"]
        return found


def find_builder() -> Builder | None:
    """Return the first builder that is here and answers."""
    for name in NAMES:
        if shutil.which(name) and _succeeds([name, "info"], ANSWER_SECONDS):
            return Builder(name)
    return None


def _own_limits() -> Iterator[str]:
    """Yield options with the limits of this process, which a container may not be able to raise."""
    for name, number in LIMITS.items():
        most = resource.getrlimit(number)[1]
        if most != resource.RLIM_INFINITY:
            yield from ("--ulimit", f"{name}={most}:{most}")


def _succeeds(command: Sequence[str], seconds: float) -> bool:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        return done.returncode == 0
    return False


def _read(command: Sequence[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.strip()
