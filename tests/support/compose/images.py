"""Programs of this machine that stand in for the images of the Compose file.

Each does what the start script of its image does: it makes folders, gives them to a user, and runs
the program as that user.
"""

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import find_redis_server
from tests.support.compose.compose_file import find_tool
from tests.support.history.databases import postgresql_programs
from tests.support.image.containers import UnpackedImage

BIN = Path(sys.executable).parent
HEADRACE, NOBODY, POSTGRES, SEAWEED, VALKEY = 65532, 65534, 999, 1000, 999
AS_USER = 'exec setpriv --reuid="$user" --regid="$user" --clear-groups -- '
POSTGRES_START = """
export PGDATA=/var/lib/postgresql/18/docker
install -d -o "$user" -g "$user" -m 0700 /var/lib/postgresql/18 "$PGDATA"
install -d -o "$user" -g "$user" /var/run/postgresql
as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups -- "$@"; }
if ! test -e "$PGDATA/PG_VERSION"; then
  printf %s "$POSTGRES_PASSWORD" > /tmp/password && chown "$user" /tmp/password
  as_user initdb -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  as_user pg_ctl start --wait -o "-c listen_addresses= -k /var/run/postgresql"
  as_user createdb -h /var/run/postgresql -U "$POSTGRES_USER" "$POSTGRES_DB" || true
  as_user pg_ctl stop --wait --mode=fast
fi
set -- "$@" -c listen_addresses='*' -k /var/run/postgresql
"""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A program of this machine in the place of an image."""

    program: str | None
    """Path of the program, or None where this machine has none."""
    entrypoint: Sequence[str]
    command: Sequence[str] = ()
    """Command of the image itself, for services without one."""
    user: int = 0
    folders: Mapping[str, int] = field(default_factory=dict)
    """Folders of the image, with their owners: those of a new volume as well."""
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    stop_signal: signal.Signals = signal.SIGTERM
    root: Path | None = None
    """Root folder of the image itself; None for a program of this machine."""


def _script(text: str, user: int, program: str) -> tuple[str, ...]:
    """Return the words of a start script, whose arguments are those of the service."""
    return ("sh", "-ec", f"user={user}; {text}{AS_USER}{program} " + '"$@"', "start")


def _postgres() -> Image:
    binary = postgresql_programs()
    return Image(
        program=str(binary / "postgres"),
        entrypoint=_script(POSTGRES_START, POSTGRES, ""),
        command=("postgres",),
        folders={"/var/lib/postgresql": POSTGRES},
        environ={"PATH": f"{binary}:/usr/bin:/bin:/usr/sbin", "LANG": "C.UTF-8"},
        stop_signal=signal.SIGINT,
    )


def _clone() -> Image:
    """Return the command of this clone, with what the image sets."""
    return Image(
        program=str(BIN / "headrace"),
        entrypoint=("headrace",),
        folders={"/data": HEADRACE},
        environ={
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HEADRACE_DATA_DIR": "/data",
            "HEADRACE_HOST": "0.0.0.0",
            "HEADRACE_PORT": "8000",
            "HEADRACE_HEALTH_HOST": "0.0.0.0",
            "HEADRACE_HEALTH_PORT": "8001",
        },
    )


def image_of(unpacked: UnpackedImage) -> Image:
    """Return the image of Headrace itself."""
    entrypoint = unpacked.configuration["Entrypoint"]
    return Image(
        program=entrypoint[0],
        entrypoint=entrypoint,
        environ=unpacked.environ,
        root=unpacked.root,
    )


def find_images(headrace: Image | None = None) -> dict[str, Image]:
    """Return the stand-in of each image by its name without the version."""
    weed, server = find_tool("weed") or "", find_redis_server()
    return {
        "headrace": headrace or _clone(),
        "valkey/valkey": Image(
            program=server,
            entrypoint=_script(f"chown -R {VALKEY} /data; shift; ", VALKEY, server),
            folders={"/data": VALKEY},
            folder="/data",
        ),
        "postgres": _postgres(),
        "chrislusf/seaweedfs": Image(
            program=weed,
            entrypoint=_script(f"chown -R {SEAWEED} /data; ", SEAWEED, f"{weed} -logtostderr=true"),
            folders={"/data": SEAWEED},
            folder="/data",
        ),
        "caddy": Image(
            program=find_tool("caddy"),
            entrypoint=(),
            command=("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"),
            folders={"/data": 0, "/config": 0},
            environ={
                "PATH": f"{BIN}:/usr/bin:/bin",
                "XDG_CONFIG_HOME": "/config",
                "XDG_DATA_HOME": "/data",
            },
        ),
        "prom/prometheus": Image(
            program=find_tool("prometheus"),
            entrypoint=("prometheus",),
            user=NOBODY,
            folders={"/prometheus": NOBODY},
            folder="/prometheus",
        ),
        "grafana/grafana": Image(program=None, entrypoint=()),
    }
