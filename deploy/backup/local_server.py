"""Servers that run for the time of a restore: one with the backup's data, one for the new data."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from deploy.output.problems import CommandFailed
from deploy.stack.redis_server import RedisServer, bundled_binary, find_binary
from deploy.stack.supervisor import LAUNCHER

DUMP = "dump.rdb"
OTHER_VERSIONS = ("--rdb-version-check", "relaxed")
"""Lets Valkey load files of Redis 7.4 and newer."""
PAUSE_SECONDS = 0.05
LOG_BYTES = 65_536


@asynccontextmanager
async def serving_dump(folder: Path) -> AsyncIterator[str]:
    """Run a server that has loaded the folder's `dump.rdb`; yield its address.

    Raises CommandFailed if no server here can load it.
    """
    reasons = ""
    with _socket() as socket:
        for binary in dict.fromkeys((find_binary(), bundled_binary())):
            for options in ((), OTHER_VERSIONS):
                if binary is None:
                    continue
                server = RedisServer(binary=binary, folder=folder, socket=socket, max_bytes=0)
                command = (*_source_command(server), *options)
                try:
                    async with _running(server, command, signal.SIGKILL, ()):
                        yield server.url
                    return
                except _DoesNotStart as error:
                    reasons = reasons or str(error)
    raise CommandFailed(
        f"The Redis here cannot load the backup's data ({reasons}): install the server, and its "
        "version or a newer one, that the manifest of the backup names."
    )


@asynccontextmanager
async def serving_folder(folder: Path) -> AsyncIterator[str]:
    """Run a server like that of `headrace up` on a folder; yield its address.

    Its file is on the disk afterwards.
    """
    with _socket() as socket:
        server = RedisServer(binary=find_binary(), folder=folder, socket=socket, max_bytes=0)
        locks = await server.prepare()
        try:
            async with _running(server, server.command(), signal.SIGTERM, locks):
                yield server.url
        except _DoesNotStart as error:
            raise CommandFailed(f"The Redis for the new data does not start ({error}).") from error


class _DoesNotStart(Exception):
    """The server ended before it answered; the message is the reason that it logged."""


def _source_command(server: RedisServer) -> Sequence[str]:
    settings = {"port": "0", "unixsocket": str(server.socket), "unixsocketperm": "700"}
    settings |= {"dir": str(server.folder), "dbfilename": DUMP, "appendonly": "no", "save": ""}
    settings |= {"maxmemory": "0", "daemonize": "no", "loglevel": "warning"}
    pairs = [word for key, value in settings.items() for word in (f"--{key}", value)]
    return (str(server.binary), *pairs)


@asynccontextmanager
async def _running(
    server: RedisServer,
    command: Sequence[str],
    death_signal: signal.Signals,
    locks: tuple[int, ...],
) -> AsyncIterator[None]:
    """Run a server, which inherits the locks of its folder. Raises _DoesNotStart."""
    launch = (sys.executable, "-I", "-S", str(LAUNCHER), str(int(death_signal)), str(os.getpid()))
    process = await asyncio.create_subprocess_exec(
        *launch,
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
        pass_fds=locks,
    )
    for lock in locks:
        os.close(lock)
    log = asyncio.create_task(_read_log(process))
    try:
        while not await server.is_ready():
            if process.returncode is not None:
                raise _DoesNotStart(_reason(await log))
            await asyncio.sleep(PAUSE_SECONDS)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await log


async def _read_log(process: Process) -> str:
    """Return the last lines of a process, read to its end so that it never waits for a reader."""
    text = b""
    while process.stdout is not None and (piece := await process.stdout.read(LOG_BYTES)):
        text = (text + piece)[-LOG_BYTES:]
    return text.decode(errors="replace")


def _reason(log: str) -> str:
    """Return the first line of a log about a failure, without process id and time."""
    lines = [line.partition(" # ")[2] or line for line in log.splitlines()]
    return next((line for line in lines if "Can't" in line or "Wrong" in line), "no reason given")


@contextmanager
def _socket() -> Iterator[Path]:
    """Yield the path of a socket, short enough wherever the data is."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-"))
    try:
        yield folder / "redis.sock"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
