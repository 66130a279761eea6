"""Containers of the image, started by namespaces of the kernel where no engine runs.

A container has a root file system that is read-only, a tmpfs on /tmp, processes of its own, the
user and the environment of the image, and no privileges. It shares the network of the machine.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.packaging.image.builders import Builder

MOUNTS = """
set -e
mount --bind "$ROOT" "$PLACE"
mount -o remount,bind,ro,nosuid,nodev "$PLACE"
mount -t proc -o nosuid,nodev,noexec proc "$PLACE/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=64m tmpfs "$PLACE/tmp"
mount -t tmpfs -o mode=755,nosuid tmpfs "$PLACE/dev"
mkdir "$PLACE/dev/shm"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs "$PLACE/dev/shm"
for name in null zero full random urandom; do
    touch "$PLACE/dev/$name"
    mount --bind "/dev/$name" "$PLACE/dev/$name"
done
test -z "$DATA" || mount --bind "$DATA" "$PLACE/data"
exec "$@"
"""
SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
UNSHARE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedImage:
    """An image whose root is a folder."""

    name: str
    root: Path
    configuration: Mapping[str, Any]

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment that engines give to its processes."""
        pairs = (each.partition("=") for each in self.configuration["Env"])
        return {"HOME": "/data", **{name: value for name, _, value in pairs}}


@contextlib.contextmanager
def unpacked_image(builder: Builder, name: str) -> Iterator[UnpackedImage]:
    """Yield an image as a folder."""
    with (
        tempfile.TemporaryDirectory(prefix="hr-image-") as folder,
        builder.unpacked(name, Path(folder)) as root,
    ):
        yield UnpackedImage(name=name, root=root, configuration=builder.configuration(name))


class Container:
    """One container, from its start to its end."""

    def __init__(
        self,
        image: UnpackedImage,
        *words: str,
        data: Path | None = None,
        program: Sequence[str] | None = None,
        **environ: str,
    ) -> None:
        """Start; `words` follow the image's entry point, which a `program` replaces."""
        self._place = Path(tempfile.mkdtemp(prefix="hr-container-"))
        self.log = self._place.with_name(f"{self._place.name}.log")
        self.environ = image.environ | environ
        self._user = str(image.configuration["User"])
        outside = {
            "PATH": SEARCHED,
            "ROOT": str(image.root),
            "PLACE": str(self._place),
            "DATA": str(data or ""),
        }
        command = [*(program or image.configuration["Entrypoint"]), *words]
        self.began = time.monotonic()
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*UNSHARE, "sh", "-c", MOUNTS, "sh", *self._enter(), *command],
                env=outside,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _enter(self) -> list[str]:
        pairs = (f"{name}={value}" for name, value in self.environ.items())
        return [
            *(_path("env"), "-i", *pairs, _path("setpriv"), "--no-new-privs", _path("chroot")),
            *(f"--userspec={self._user}", "--groups=", str(self._place)),
        ]

    @property
    def pid(self) -> int:
        """Return the number that the first process of the container has on this machine."""
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(path.read_text().split()[0])

    @property
    def output(self) -> str:
        """Return what its processes have written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def is_running(self) -> bool:
        """Whether its first process has not ended."""
        return self._process.poll() is None

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as an engine runs a health check."""
        enter = [_path("nsenter"), "--target", str(self.pid), "--mount", "--pid", *self._enter()]
        return subprocess.run(
            [*enter, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def processes(self) -> dict[int, str]:
        """Return its processes, by the number on this machine, with their states."""
        space = Path(f"/proc/{self.pid}/ns/pid").readlink()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (folder / "ns" / "pid").readlink() == space:
                    stat = (folder / "stat").read_text()
                    found[int(folder.name)] = stat[stat.rindex(")") + 2]
        return found

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the first process, as an engine does."""
        os.kill(self.pid, number)

    def wait(self, timeout: float = 60) -> int:
        """Return the exit code at the end. Raises TimeoutExpired."""
        return self._process.wait(timeout)

    def stop(self, timeout: float = 60) -> tuple[int, float]:
        """Send SIGTERM; return the exit code, and the seconds until the end."""
        began = time.monotonic()
        self.send(signal.SIGTERM)
        return self.wait(timeout), time.monotonic() - began

    def remove(self) -> None:
        """Kill the processes that still run, and remove the folder."""
        if self.is_running:
            with contextlib.suppress(OSError, IndexError):
                self.send(signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        self._place.rmdir()
        self.log.unlink()


def _path(command: str) -> str:
    found = shutil.which(command, path=SEARCHED)
    assert found, f"{command} is not here"
    return found
