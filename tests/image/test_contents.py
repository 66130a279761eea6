"""The files of the image: no shell, no privileges, nothing of the machine that built it."""

import json
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.image.calls import Start
from tests.support.image.containers import UnpackedImage

pytestmark = pytest.mark.slow

USER = 65532
PROGRAMS = {
    *("/opt/headrace/bin/headrace", "/opt/headrace/bin/python", "/opt/headrace/bin/python3"),
    *("/opt/headrace/bin/python3.13", "/usr/bin/python3.13", "/usr/bin/tini"),
}
"""Programs that PATH finds."""
HOSTS = re.compile(
    rb"deb\.debian\.org|security\.debian\.org|pypi\.org|files\.pythonhosted|npmjs\.(?:org|com)"
)
IMPORT_ALL = """
import importlib, json, pathlib, sys
import psycopg  # before its parts
site = pathlib.Path(psycopg.__file__).parents[1]
failed, count = {}, 0
for path in sorted(site.rglob("*.so")):
    if not any(part.endswith(".libs") for part in path.parts):
        name = ".".join((*path.relative_to(site).parent.parts, path.name.partition(".")[0]))
        count += 1
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = str(error)
print(json.dumps([count, failed]))
"""


def files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all paths below a root, as they are called in the image."""
    for folder, names, others in os.walk(root):
        for name in (*names, *others):
            path = Path(folder) / name
            yield f"/{path.relative_to(root).as_posix()}", path.lstat()


def test_there_is_no_shell_and_no_other_program(image: UnpackedImage) -> None:
    found = set()
    for folder in image.environ["PATH"].split(":"):
        found |= {f"{folder}/{path.name}" for path in (image.root / folder[1:]).iterdir()}

    assert found == PROGRAMS
    shells = {"sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "perl", "pip", "pip3"}
    assert {path for path, _ in files(image.root) if path.rsplit("/", 1)[1] in shells} <= {
        "/var/lib/dpkg"  # a folder with the descriptions of what is installed
    }


def test_no_file_gives_privileges_or_can_be_changed_by_others(image: UnpackedImage) -> None:
    all_files = dict(files(image.root))
    open_to_all = {
        path
        for path, status in all_files.items()
        if status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode)
    }
    privileged = [
        path
        for path, status in all_files.items()
        if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]

    assert open_to_all == {"/tmp"}
    assert privileged == []
    assert {path for path, status in all_files.items() if status.st_uid != 0} == {"/data"}
    assert all_files["/data"].st_uid == all_files["/data"].st_gid == USER
    assert stat.S_IMODE(all_files["/data"].st_mode) == 0o750


def test_nothing_is_left_of_the_build(image: UnpackedImage) -> None:
    """Settings, sources, caches and paths of the machine and of the steps of the build."""
    names = [path for path, _ in files(image.root)]
    left = re.compile(
        r"/(\.cache|\.npmrc|pip\.conf|sources\.list|apt|node_modules|direct_url\.json)(/|$)"
    )
    assert [name for name in names if left.search(name)] == []
    assert list((image.root / "root").glob("*")) == []
    assert list((image.root / "run").glob("*")) == []

    clone = str(Path(__file__).parents[2]).encode()
    steps = re.compile(rb"/root-of-image|/wheels/|" + re.escape(clone))
    for path in (image.root / "opt/headrace").rglob("*"):
        if path.suffix in (".py", ".pyc", ".cfg", ".json", "") and path.is_file():
            content = path.read_bytes()
            assert not steps.search(content), path


def test_the_settings_of_the_image_name_no_registry(image: UnpackedImage) -> None:
    for folder in ("etc", "var/lib"):
        for path in (image.root / folder).rglob("*"):
            if path.is_file() and path.suffix != ".crt":
                assert not HOSTS.search(path.read_bytes()), path
    assert not HOSTS.search(json.dumps(dict(image.configuration)).encode())


def test_each_extension_module_loads_and_finds_its_libraries(start: Start) -> None:
    container = start("-c", IMPORT_ALL, program=["python3.13"])

    assert container.wait() == 0, container.output
    count, failed = json.loads(container.output.splitlines()[-1])
    assert count > 40
    assert set(failed) == {"PIL._imagingtk"}  # for windows, which a server has none of


def test_modules_of_the_standard_library_work(start: Start) -> None:
    code = (
        "import bz2, ctypes, hashlib, lzma, multiprocessing, sqlite3, ssl, uuid, zlib, zoneinfo;"
        "import mimetypes, socket, time, encodings.idna, xml.parsers.expat;"
        "print(len(ssl.create_default_context().get_ca_certs()) > 50);"
        "print(zoneinfo.ZoneInfo('Europe/Berlin'), mimetypes.guess_type('a.woff2')[0]);"
        "rows = sqlite3.connect(':memory:').execute('select 1');"
        "print(socket.getservbyname('https'), rows.fetchone());"
        "time.tzset(); print(time.strftime('%H', time.gmtime(0)), time.tzname[0])"
    )
    container = start("-c", code, program=["python3.13"], TZ="Asia/Tokyo")

    assert container.wait() == 0, container.output
    assert container.output.splitlines() == [
        *("True", "Europe/Berlin font/woff2", "443 (1,)", "00 JST")
    ]


def test_bytecode_is_there_and_is_not_compared_with_its_source(image: UnpackedImage) -> None:
    site = image.root / "opt/headrace/lib/python3.13/site-packages"
    modules = [
        path for name in ("engine", "gateway", "workers") for path in (site / name).rglob("*.py")
    ]

    assert len(modules) > 500
    for path in (*modules, image.root / "usr/lib/python3.13/os.py"):
        bytecode = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
        flags = struct.unpack("<I", bytecode.read_bytes()[4:8])[0]
        assert flags == 0b01, path  # by hash, unchecked


def test_scanners_find_what_is_installed(image: UnpackedImage) -> None:
    described = {path.name for path in (image.root / "var/lib/dpkg/status.d").iterdir()}
    licences = image.root / "usr/share/doc"

    assert {"libc6", "libssl3t64", "python3.13-minimal"} <= described
    for name in described:
        assert (licences / name / "copyright").resolve().is_relative_to(image.root), name
        assert (licences / name / "copyright").is_file(), name


def test_the_image_says_how_it_runs(image: UnpackedImage) -> None:
    found = image.configuration

    assert found["Entrypoint"] == ["tini", "-s", "--", "headrace"]
    assert found["User"] == f"{USER}:{USER}"
    assert list(found["Volumes"]) == ["/data"]
    assert sorted(found["ExposedPorts"]) == ["8000/tcp", "8001/tcp"]
    assert found["Healthcheck"]["Test"] == ["CMD", "headrace", "health"]
    labels = found["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", labels["org.opencontainers.image.version"])
    assert re.fullmatch(r"[0-9a-f]{40}(-changed)?", labels["org.opencontainers.image.revision"])
    assert found["Env"] and "HEADRACE_DATA_DIR=/data" in found["Env"]
