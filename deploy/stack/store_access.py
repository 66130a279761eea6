"""Access to the store of a running stack, for the administrative commands."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from deploy.output.problems import CommandFailed, SchemaRefused, WrongRedis
from deploy.stack.location import find_stack
from engine.errors import SchemaTooNew, StoreFull, Unavailable, WrongStore
from engine.history.reading.archive import open_archive
from engine.media.objects import ObjectStore
from engine.settings import load
from engine.store import Store

T = TypeVar("T")

# A command reports a Redis that is wrong or away in a sentence of its own.
for module in ("engine.store.redis.installation", "engine.store.redis.errors"):
    logging.getLogger(module).addHandler(logging.NullHandler())


def with_store(data_dir: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    """Find the stack, do the work on its store and return the result."""
    stack = find_stack(data_dir)

    async def run() -> T:
        async with open_store(stack.redis_url, stack.settings) as store:
            return await work(store)

    return asyncio.run(run())


@asynccontextmanager
async def open_store(
    redis_url: str, shared: Mapping[str, str] | None = None
) -> AsyncIterator[Store]:
    """Open the store at an address; it must answer.

    `shared` are settings of its stack that apply unless the environment sets them.
    """
    settings = load({**(shared or {}), **os.environ})
    store = Store.open(
        replace(settings, redis_url=redis_url),
        ObjectStore.from_settings(settings),
        open_archive(settings),
    )
    try:
        with explained():
            await store.ping()
        await store.models.look()  # workflows that are pushed or run may call saved models
        yield store
    finally:
        await store.close()


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn the errors of a Redis that is away or another installation's into CommandFailed."""
    try:
        yield
    except SchemaTooNew as error:
        raise SchemaRefused(error.seen, error.fix) from error
    except WrongStore as error:
        raise WrongRedis(error.seen, error.fix) from error
    except Unavailable as error:
        if isinstance(error, StoreFull):
            message = "The Redis of this stack takes nothing more: its memory or its disk is full"
        elif error.word == "READONLY":
            message = "The Redis of this stack is a replica: name the primary"
        elif error.word:
            message = f"The Redis of this stack refuses {_refused(error.word)} ({error.word})"
        elif os.environ.get("HEADRACE_REDIS_URL"):
            message = "The Redis of HEADRACE_REDIS_URL does not answer."
        else:
            message = "The Redis of this stack does not answer: is `headrace up` running?"
        raise CommandFailed(with_reason(message, error)) from error


def _refused(word: str) -> str:
    if word in {"NOAUTH", "WRONGPASS"}:
        return "the user and the password of HEADRACE_REDIS_URL"
    return "commands right now"


def with_reason(message: str, error: BaseException | None) -> str:
    """Return the message with the reason for which Redis cannot be used, if it is known."""
    reason = error.reason if isinstance(error, Unavailable) else ""
    return f"{message} {reason}" if reason else message
