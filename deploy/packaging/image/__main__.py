"""Build the image: `python -m deploy.packaging.image`, which `make image` runs.

The variable BASE names another base than Debian's, IMAGE another name of the image.
"""

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from deploy.packaging import system_tools
from deploy.packaging.image.base import NoBase, find_base
from deploy.packaging.image.builders import Builder, BuildRequest, find_builder
from deploy.packaging.image.machine_settings import write_settings
from deploy.packaging.image.sizes import table

ROOT = Path(__file__).parents[3]
CACHE = ROOT / "build" / "image" / "base"


def version() -> str:
    """Return the version of this clone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def image_name() -> str:
    """Return the name of the image; a version in development is called by its release."""
    return os.environ.get("IMAGE") or f"headrace:{version().partition('.dev')[0]}"


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def revision() -> str:
    """Return the commit of this clone; `-changed` follows it where files differ from it."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit or 'unknown'}{'-changed' if _git('status', '--porcelain') else ''}"


def timestamp() -> int:
    """Return the time of the files of the image: SOURCE_DATE_EPOCH, else that of the commit."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 0)


def get_builder() -> Builder | None:
    """Return a builder; where there is none, install buildah as root."""
    return find_builder() or (None if system_tools.main(["buildah"]) else find_builder())


def build(builder: Builder, base: str) -> int:
    """Build the image; return the exit code of the builder."""
    with tempfile.TemporaryDirectory(prefix="headrace-image-") as folder:
        request = BuildRequest(
            image=image_name(),
            base=base,
            timestamp=timestamp(),
            arguments={"VERSION": version(), "REVISION": revision()},
            secrets=write_settings(Path(folder)),
        )
        command = builder.build_command(request, ROOT)
        return subprocess.run(command, check=False).returncode


def show_sizes(builder: Builder) -> None:
    """Print the sizes of the parts of the image, where it can be unpacked."""
    if os.geteuid() != 0 and builder.name == "buildah":
        return
    with (
        tempfile.TemporaryDirectory(prefix="headrace-image-") as folder,
        builder.unpacked(image_name(), Path(folder)) as root,
    ):
        print("\n".join(table(root)), flush=True)


def main() -> int:
    """Build the image and print its sizes; return an exit code."""
    builder = get_builder()
    if builder is None:
        print("No builder of images answers: buildah, docker or podman.", file=sys.stderr)
        return 1
    began = time.monotonic()
    try:
        base = os.environ.get("BASE") or find_base(builder, CACHE)
    except NoBase as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"Building {image_name()} with {builder.name} on {base}", flush=True)
    if code := build(builder, base):
        return code
    show_sizes(builder)
    print(f"Built {image_name()} in {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
