"""The Redis of a stack: its start, and the writing of its file to the disk."""

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path

from deploy.stack import redis_server
from deploy.stack.console import Console
from deploy.stack.redis_server import RedisServer
from deploy.stack.supervisor import Part, Supervisor
from deploy.up.readiness import wait_until_ready

SYNC_SECONDS = 1.0


async def start_redis(
    data_dir: Path,
    max_bytes: int,
    stage: int,
    supervisor: Supervisor,
    console: Console,
    cleanup: ExitStack,
) -> str:
    """Start a Redis on the data directory; return its address once it answers."""
    server = redis_server.open_server(data_dir, max_bytes)
    cleanup.callback(redis_server.forget_socket, server)
    part = Part(
        name="redis",
        command=server.command(),
        stage=stage,
        death_signal=signal.SIGTERM,
        prepare=server.prepare,
        omit=redis_server.is_about_overcommit,
    )
    # No deadline: loading time grows with the file, and a server that dies is noticed.
    await wait_until_ready(server.is_ready, supervisor.start(part), float("inf"))
    syncing = asyncio.create_task(_sync_each_second(server, console))
    cleanup.callback(syncing.cancel)
    return server.url


async def _sync_each_second(server: RedisServer, console: Console) -> None:
    while True:
        await asyncio.sleep(SYNC_SECONDS)
        try:
            await asyncio.to_thread(server.sync)
        except FileNotFoundError:
            continue  # the server has begun another file meanwhile
        except OSError as error:
            console.print("redis", f"its file cannot be brought to the disk: {error}")
