"""Install commands of Debian's packages that a target of `make` needs.

A script that needs the standard library alone: `system_tools.py COMMAND[=PACKAGE]…`. It installs
the packages of missing commands where it may: as root, where there is `apt-get`. Elsewhere it names
them and exits with 1.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

SYSTEM_PATHS = "/usr/sbin:/sbin"
"""Folders with commands of administrators, which the PATH of other users lacks."""


def find_missing(needed: Mapping[str, str]) -> list[str]:
    """Return the packages of commands that are not here; `needed` has the package of each."""
    path = f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATHS}"
    return sorted({needed[each] for each in needed if not shutil.which(each, path=path)})


def install(packages: Sequence[str]) -> int:
    """Install Debian's packages; return the exit code of `apt-get`.

    Packages that bring a service do not start it.
    """
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    update = ("apt-get", "update", "-qq")
    get = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
    for command in (update, get):
        done = subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return done.returncode
    return 0


def main(arguments: Sequence[str]) -> int:
    """Install what is missing, or say what to install."""
    pairs = (each.partition("=") for each in arguments)
    packages = find_missing({command: package or command for command, _, package in pairs})
    if not packages:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(packages)} from Debian's packages", flush=True)
        return install(packages)
    print(f"Install first, as root: apt-get install {' '.join(packages)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
