"""A PostgreSQL on a port of loopback, from the wheel that carries its programs."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.history.databases import postgresql_programs
from tests.support.redis.processes import wait_until

NOBODY = 65534
"""PostgreSQL refuses to run as root."""
OPTIONS = ("-c", "fsync=off", "-c", "listen_addresses=127.0.0.1")


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL of a database of a new server."""
    programs, port = postgresql_programs(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="hr-postgresql-", dir="/tmp"))
    account = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
    if account:
        os.chown(folder, NOBODY, NOBODY)
    data = folder / "data"
    begin = [programs / "initdb", "--username=headrace", "--auth=trust", f"--pgdata={data}"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(begin, check=True, **quiet, **account)  # type: ignore[call-overload]
    serve = [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, *OPTIONS]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(serve, stderr=log, **quiet, **account)  # type: ignore[call-overload]
    url = f"postgresql://headrace@127.0.0.1:{port}/postgres"
    try:
        wait_until(lambda: _answers(url), f"PostgreSQL on {port}", timeout=PATIENCE_SECONDS)
        yield url
    finally:
        server.terminate()
        server.wait()
        log.close()
        shutil.rmtree(folder)


def _answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False
