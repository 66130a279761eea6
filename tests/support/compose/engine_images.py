"""Images for a Docker engine without a registry, which stand in for those of others.

Each has a program of this machine with its libraries, at their own paths, and a busybox.
"""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.support.compose.compose_file import find_tool
from tests.support.compose.images import Image, find_images
from tests.support.image.engine import Engine

TOOLS = {"prom/prometheus": ("promtool",), "valkey/valkey": ("setpriv", "valkey-cli")}
"""Commands of this machine that health checks and start scripts of images call."""
GRAFANA = """
mkdir -p /tmp/api && echo '{"database": "ok"}' > /tmp/api/health
busybox httpd -f -p 3000 -h /tmp & trap "kill $!" TERM; wait $!
"""
"""Nothing else than the answer of its health: no package has Grafana."""
USERS = "".join(f"u{number}:x:{number}:{number}::/:/bin/sh\n" for number in (0, 472, 999, 1000))
LOCALE = Path("/usr/lib/locale/C.utf8")
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


def load_stand_ins(engine: Engine, names: Iterable[str]) -> None:
    """Give an engine the images of others by their names and tags."""
    images = find_images() | {"grafana/grafana": _grafana()}
    for name in names:
        _load(engine, name, images[name.rpartition(":")[0]])


def _grafana() -> Image:
    script = ("sh", "-ec", GRAFANA)
    return Image(program=None, entrypoint=script, user=472, folders={"/var/lib/grafana": 472})


def _load(engine: Engine, name: str, image: Image) -> None:
    environ = {"PATH": PATH, **image.environ}
    changes = [
        f"ENTRYPOINT {json.dumps(image.entrypoint)}",
        f"CMD {json.dumps(image.command)}",
        f"USER {image.user}",
        f"WORKDIR {image.folder}",
        f"STOPSIGNAL {image.stop_signal.name}",
        *(f"ENV {key}={value}" for key, value in environ.items()),
    ]
    words = [word for change in changes for word in ("--change", change)]
    importing = subprocess.Popen(
        ["docker", "import", *words, "-", name],
        env=engine.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert importing.stdin is not None
    with importing.stdin, tarfile.open(fileobj=importing.stdin, mode="w|") as archive:
        _fill(archive, image, TOOLS.get(name.rpartition(":")[0], ("setpriv",)))
    assert importing.wait() == 0, name


def _fill(archive: tarfile.TarFile, image: Image, tools: Sequence[str]) -> None:
    busybox = find_tool("busybox")
    assert busybox is not None, "`make manifests ENGINE=1` installs busybox-static"
    archive.add(busybox, "bin/busybox")
    for applet in subprocess.check_output([busybox, "--list"], text=True).split():
        link = tarfile.TarInfo(f"bin/{applet}")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        if applet not in {"busybox", "sh", *tools}:
            archive.addfile(link)
    # The shell of the busybox takes its own commands for those of PATH.
    archive.add(Path("/bin/sh").resolve(), "bin/sh")
    _add_text(archive, "etc/passwd", USERS)
    _add_folder(archive, "/tmp", 0, 0o1777)
    for path, owner in image.folders.items():
        _add_folder(archive, path, owner, 0o755)
    files = {Path(found) for name in tools if (found := find_tool(name))}
    if image.program is not None:
        program = Path(image.program)
        files |= {program, *_beside(program)}
    for path in sorted(files | {each for file in files for each in _libraries(file)}):
        archive.add(path.resolve(), str(path))


def _beside(program: Path) -> set[Path]:
    """Return the files of PostgreSQL, which finds its own by the path of its program."""
    if program.name != "postgres":
        return set()
    folders = (program.parent.parent, LOCALE)
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if "include" not in path.parts}


def _libraries(program: Path) -> set[Path]:
    """Return the shared libraries of a program."""
    told = subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout
    words = {word for line in told.splitlines() for word in line.split()}
    return {Path(os.path.normpath(word)) for word in words if Path(word).is_file()}


def _add_folder(archive: tarfile.TarFile, path: str, owner: int, mode: int) -> None:
    entry = tarfile.TarInfo(path.strip("/"))
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
    archive.addfile(entry)


def _add_text(archive: tarfile.TarFile, path: str, text: str) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(text)
    archive.addfile(entry, io.BytesIO(text.encode()))
