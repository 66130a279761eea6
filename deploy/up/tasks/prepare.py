"""Preparation of a stack's Redis: its marker, its secrets, its demonstration."""

from pathlib import Path
from typing import Any

from deploy.admin.migration import NO_STORE, explain_delay, migrate_store
from deploy.output.problems import CommandFailed, WrongRedis
from deploy.stack.installation import mark_if_new
from deploy.stack.location import REDIS_URL, Stack
from deploy.stack.new_installation import record_marked
from deploy.stack.secret_key import VARIABLE
from deploy.stack.store_access import open_store, with_reason
from deploy.up.tasks.demo import Demo
from engine.errors import EngineError, Unavailable


async def run(
    *, data_dir: str, redis_url: str, secret_key: str, base_url: str | None
) -> dict[str, Any]:
    """Check that the Redis is this installation's, mark a new one, and prepare the demonstration.

    The schema of its store is raised, or `delay` says why not.
    Without `base_url` there is no demonstration. With it the result has a `link` that signs a
    browser in and the `accountId`, nothing without such an account, or the `demoFailure`. Raises
    CommandFailed for another Redis.
    """
    try:
        await mark_if_new(Path(data_dir), redis_url, secret_key)
        async with open_store(redis_url, {VARIABLE: secret_key}) as store:
            fits = await store.seals.fit()
            migrated = await migrate_store(store) if fits else NO_STORE
    except WrongRedis:
        raise
    except (CommandFailed, Unavailable) as error:
        message = f"The Redis that {REDIS_URL} names does not answer."
        unavailable = error if isinstance(error, Unavailable) else error.__cause__
        raise CommandFailed(with_reason(message, unavailable)) from error
    if not fits:
        raise CommandFailed(
            f"The secrets in this Redis are sealed with another key: set {VARIABLE} to it, "
            "beside a new one if you like (NEW,OLD)."
        )
    record_marked(Path(data_dir))
    prepared = {} if base_url is None else await _prepare_demo(data_dir, redis_url, base_url)
    return {**prepared, "delay": explain_delay(migrated)}


async def _prepare_demo(data_dir: str, redis_url: str, base_url: str) -> dict[str, Any]:
    demo = Demo(Stack(data_dir=Path(data_dir), redis_url=redis_url))
    try:
        await demo.prepare()
        return await demo.sign_in(base_url)
    except (EngineError, CommandFailed) as error:
        return {"demoFailure": str(error)}  # the stack serves without its demonstration
