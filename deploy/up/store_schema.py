"""Schema of a stack's store, raised once the last process of an older version has gone."""

import asyncio
import contextlib

from deploy.output.problems import CommandFailed
from deploy.stack.console import Console
from deploy.up.tasks.process import run_task

AGAIN_SECONDS = 10.0


async def raise_when_alone(delay: str, redis_url: str, secret_key: str, console: Console) -> None:
    """Raise the schema; `delay` says why the start of the stack did not, empty if it did."""
    if delay:
        console.print("up", delay)
    while delay:
        await asyncio.sleep(AGAIN_SECONDS)
        with contextlib.suppress(CommandFailed, OSError):
            tried = await run_task("migrate_store", redis_url=redis_url, secret_key=secret_key)
            delay = tried["delay"]
