"""Make the root file system of the image from Debian's packages, without their installation.

A script of a build stage, which needs the standard library alone: `make_root.py PACKAGES ROOT`,
where PACKAGES is a folder of `.deb` files. The root has no shell, no package manager and none of
their scripts: an image with fewer programs has fewer that can be misused, and is smaller.
"""

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

USER = 65532
"""User and group of the image's processes; images without a distribution have this number."""
DATA = "data"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
ZONES = "/opt/headrace/lib/python3.13/site-packages/tzdata/zoneinfo"
KEPT_SETTINGS = frozenset(
    {"debian_version", "host.conf", "mime.types", "os-release", "protocols", "python3.13"}
    | {"services", "ssl"}
)
"""Names in `/etc` that programs of the image read."""
REMOVED = (
    "usr/bin/tini-static",
    "usr/lib/*/engines-3",
    "usr/lib/*/gconv",  # Python converts texts by itself
    "usr/lib/python3.13/lib-dynload/_curses*.so",
    "usr/lib/python3.13/lib-dynload/_dbm*.so",
    "usr/lib/python3.13/lib-dynload/readline*.so",
    "usr/lib/python3.13/pydoc_data",
    "usr/lib/python3.13/test",
    "usr/sbin/*",
    "usr/share/base-files",
    "usr/share/bug",
    "usr/share/ca-certificates",
    "usr/share/gcc*",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/pixmaps",
    "usr/local/*",
    "var/*",
)
"""Files that no command of Headrace opens. Extension modules here lack libraries in the image."""
SETTINGS = {
    "etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"headrace:x:{USER}:{USER}:Headrace:/{DATA}:/usr/sbin/nologin\n",
    "etc/group": f"root:x:0:\nheadrace:x:{USER}:\n",
    # Without this file, glibc asks DNS before /etc/hosts.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"
    "services: files\nprotocols: files\n",
}


def unpack(packages: Iterable[Path], root: Path) -> None:
    """Unpack packages, those that name the folders of the system first."""
    for package in sorted(packages, key=lambda each: (not _is_base(each), each.name)):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)  # noqa: S607


def describe(packages: Iterable[Path], folder: Path) -> None:
    """Write what is installed where scanners of images look for it."""
    folder.mkdir(parents=True)
    for package in sorted(packages):
        command = ["dpkg-deb", "--field", str(package)]
        told = subprocess.run(command, check=True, capture_output=True).stdout
        (folder / package.name.partition("_")[0]).write_bytes(told)


def join_certificates(root: Path) -> None:
    """Write the file of certificate authorities that the package would make when installed."""
    found = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / CERTIFICATES
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(each.read_bytes() for each in found))


def remove_unused(root: Path) -> None:
    """Remove settings of absent programs, documentation but for licences, and `REMOVED`."""
    unused = [each for each in (root / "etc").iterdir() if each.name not in KEPT_SETTINGS]
    unused += [found for pattern in REMOVED for found in root.glob(pattern)]
    for folder in (root / "usr/share/doc").glob("*"):
        if folder.is_dir() and not folder.is_symlink():
            unused += [each for each in folder.iterdir() if each.name != "copyright"]
    for path in unused:
        remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def write_settings(root: Path) -> None:
    """Write users and name services, the folders of data and of temporary files, and time zones."""
    for name, text in SETTINGS.items():
        (root / name).write_text(text, encoding="ascii")
    data = root / DATA
    data.mkdir(mode=0o750)
    if os.geteuid() == 0:
        os.chown(data, USER, USER)
    temporary = root / "tmp"
    temporary.mkdir(exist_ok=True)
    temporary.chmod(0o1777)
    zones = root / "usr/share/zoneinfo"
    zones.parent.mkdir(parents=True, exist_ok=True)
    zones.symlink_to(ZONES)


def compile_bytecode(root: Path, modules: Path) -> None:
    """Compile modules; bytecode is believed without a look at the source, which cannot change."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    is_compiled = compileall.compile_dir(
        modules, quiet=1, invalidation_mode=unchecked, stripdir=root, prependdir="/"
    )
    if not is_compiled:
        raise SystemExit(f"{modules} has a module that cannot be compiled")


def _is_base(package: Path) -> bool:
    return package.name.startswith("base-files_")


def main(folder: Path, root: Path) -> None:
    """Make the root from the packages of a folder."""
    packages = list(folder.glob("*.deb"))
    root.mkdir()
    unpack(packages, root)
    join_certificates(root)
    remove_unused(root)
    describe(packages, root / "var/lib/dpkg/status.d")
    write_settings(root)
    compile_bytecode(root, root / "usr/lib/python3.13")


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:]))
