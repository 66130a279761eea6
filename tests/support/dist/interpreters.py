"""Interpreters of each version of Python: those of this machine, else Debian's in a folder.

A Debian's is unpacked once by `debootstrap` into `build/`, and its programs run there by `chroot`,
on a machine that has neither git nor make nor node.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
SUITES = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
"""Debian's suite of each version; 3.12 is in none."""
PACKAGES = "python3,python3-venv"
ENTER = (
    'root=$1; folder=$2; shift 2; /bin/mount -t proc proc "$root/proc" && '
    '/bin/mount --rbind /dev "$root/dev" && '
    'exec /usr/sbin/chroot "$root" /usr/bin/env -C "$folder" "$@"'
)
"""Program of a shell in a mount namespace of its own, whose mounts end with it."""


class NoInterpreter(Exception):
    """A version of Python is not to be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A version of Python, in this machine's tree or in one of its own."""

    version: str
    program: str
    """Path of its program, inside its tree."""
    tree: Path | None = None

    def command(self, folder: Path, *words: str) -> list[str]:
        """Return the command that runs a program of its tree in a folder of its tree."""
        if self.tree is None:
            return list(words)
        enter = ("/usr/bin/unshare", "--mount", "--propagation", "private")
        return [*enter, "/bin/sh", "-c", ENTER, "sh", str(self.tree), str(folder), *words]

    def seen_from_here(self, path: Path) -> Path:
        """Return the path that this process has for a path of the tree."""
        return path if self.tree is None else self.tree / path.relative_to("/")


def find_interpreter(version: str) -> Interpreter:
    """Return an interpreter of a version. Raises NoInterpreter."""
    for program in _candidates(version):
        if _runs(program, version):
            return Interpreter(version, program)
    suite = SUITES.get(version)
    if suite is None:
        raise NoInterpreter(f"There is no Python {version} here, and no suite of Debian has it")
    return Interpreter(version, f"/usr/bin/python{version}", _unpack(suite, version))


def _candidates(version: str) -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    named = [f"/usr/bin/python{version}", shutil.which(f"python{version}") or ""]
    return [*map(str, installed), *filter(None, named)]


def _runs(program: str, version: str) -> bool:
    """Return whether a program is this version, and can make environments."""
    code = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run([program, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return found.stdout.strip() == version


def _unpack(suite: str, version: str) -> Path:
    tree = ROOT / "build" / f"debian-{suite}"
    program = tree / "usr" / "bin" / f"python{version}"
    if program.exists():
        return tree
    if os.geteuid() != 0 or not shutil.which("debootstrap", path="/usr/sbin:/usr/bin"):
        raise NoInterpreter(f"Python {version} of Debian needs root and the command debootstrap")
    shutil.rmtree(tree, ignore_errors=True)
    tree.parent.mkdir(exist_ok=True)
    options = ("--variant=minbase", f"--include={PACKAGES}")
    done = subprocess.run(
        ["debootstrap", *options, suite, str(tree)], capture_output=True, text=True, check=False
    )
    if done.returncode or not program.exists():
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise NoInterpreter(f"debootstrap of {suite} brings no Python {version}: {last}")
    return tree
