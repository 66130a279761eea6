"""Build the TypeScript client as the package that `npm` installs: `build_client.py FOLDER`.

With `--check`, only the types of its sources are checked. Node and the compiler are those of
the pages.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from deploy.clients.typescript import client_types
from gateway.ui import build_pages
from gateway.ui.build_pages import Run, run_quietly

SOURCES = Path(__file__).parent
ROOT = SOURCES.parents[2]
COMPILER = build_pages.SOURCES / "node_modules" / "typescript" / "bin" / "tsc"
PACK = ("pack", "--silent", "--no-update-notifier")


def version() -> str:
    """Return Headrace's version as packages of npm write it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return npm_version(project["project"]["version"])


def npm_version(text: str) -> str:
    """Return a version of Python as one of npm: `0.2.0.dev1` is `0.2.0-dev.1`.

    Raises ValueError.
    """
    match = re.fullmatch(r"(\d+\.\d+\.\d+)(?:\.?(dev|a|b|rc)(\d+))?", text)
    if match is None:
        raise ValueError(f"{text!r} is not a version of a release")
    release, kind, number = match.groups()
    return release if kind is None else f"{release}-{kind}.{number}"


def build(target: Path, run: Run = run_quietly) -> Path:
    """Build the package into a folder; return its file. Raises BuildFailed, SubprocessError."""
    client_types.write(client_types.TYPES)
    with tempfile.TemporaryDirectory(prefix="client-") as temporary:
        folder = Path(temporary)
        node = build_pages.find_node(folder / "node", run)
        if not COMPILER.is_file():
            build_pages.install_packages(node, build_pages.SOURCES, run)
        package = folder / "package"
        stage(package)
        _compile(node, run, "--outDir", str(package / "dist"))
        open_to_readers(package)
        target.mkdir(parents=True, exist_ok=True)
        for former in target.glob("headrace-*.tgz"):
            former.unlink()
        npm = build_pages.npm_of(node)
        names = ("--pack-destination", str(target.resolve()))
        environ = build_pages.with_node(node)
        run([str(node), str(npm), *PACK, *names, "--prefix", str(package), str(package)], environ)
    return target / f"headrace-{version()}.tgz"


def stage(package: Path) -> None:
    """Put what is not compiled into the folder of the package."""
    package.mkdir()
    described = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    described["version"] = version()
    (package / "package.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    shutil.copy(SOURCES / "README.md", package)
    shutil.copy(ROOT / "LICENSE", package)


def open_to_readers(package: Path) -> None:
    """Give all files one mode, whatever the umask is: the archive has the modes of files."""
    for path in package.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def check(run: Run = run_quietly) -> str:
    """Check the types where Node and the compiler are; return a sentence about it.

    Raises SubprocessError for types that are wrong.
    """
    client_types.write(client_types.TYPES)
    node = build_pages.installed_node()
    if node is None or not COMPILER.is_file():
        return "The types of the client were not checked: `make clients` brings Node"
    _compile(node, run, "--noEmit")
    return "The types of the client are right"


def _compile(node: Path, run: Run, *options: str) -> None:
    run([str(node), str(COMPILER), "--project", str(SOURCES), *options], os.environ)


def main(arguments: list[str]) -> int:
    """Build or check; return the exit code."""
    try:
        print(check() if arguments == ["--check"] else f"Built {build(Path(*arguments))}")
    except (build_pages.BuildFailed, subprocess.SubprocessError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
