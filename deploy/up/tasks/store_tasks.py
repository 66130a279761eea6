"""Tasks on the store for `headrace up`: `python -m deploy.up.tasks.store_tasks NAME`.

The arguments are a JSON object on standard input, and so is the result on standard output; a
`failure` in it is a sentence.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from deploy.problems import CommandFailed, WrongRedis
from deploy.stack.installation import mark_if_new
from deploy.stack.location import REDIS_URL, Stack
from deploy.stack.new_installation import note_marked
from deploy.stack.secret_key import VARIABLE
from deploy.stack.store_access import end_leases, open_store
from deploy.up.tasks.demo import Demo
from engine.errors import EngineError, Unavailable
from engine.settings import SettingError


async def prepare(
    *, data_dir: str, redis_url: str, secret_key: str, base_url: str | None
) -> dict[str, Any]:
    """Check that the Redis is this installation's, mark a new one, and prepare the demonstration.

    Without `base_url` there is no demonstration. With it the result has a `link` that signs a
    browser in and the `accountId`, nothing without such an account, or the `demoFailure`. Raises
    CommandFailed for another Redis.
    """
    try:
        await mark_if_new(Path(data_dir), redis_url, secret_key)
        async with open_store(redis_url, {VARIABLE: secret_key}) as store:
            fits = await store.seals.fit()
    except WrongRedis:
        raise
    except (CommandFailed, Unavailable) as error:
        raise CommandFailed(f"The Redis that {REDIS_URL} names does not answer.") from error
    if not fits:
        raise CommandFailed(
            f"The secrets in this Redis are sealed with another key: set {VARIABLE} to it, "
            "beside a new one if you like (NEW,OLD)."
        )
    note_marked(Path(data_dir))
    return {} if base_url is None else await _prepare_demo(data_dir, redis_url, base_url)


async def _prepare_demo(data_dir: str, redis_url: str, base_url: str) -> dict[str, Any]:
    demo = Demo(Stack(data_dir=Path(data_dir), redis_url=redis_url))
    try:
        await demo.prepare()
        return await demo.sign_in(base_url)
    except (EngineError, CommandFailed) as error:
        return {"demoFailure": str(error)}  # the stack serves without its demonstration


async def release_worker(*, redis_url: str, pid: int) -> dict[str, Any]:
    """Release the leases of a dead worker process."""
    await end_leases(redis_url, pid)
    return {}


async def migrate_history(*, url: str) -> dict[str, Any]:
    """Make or migrate the tables of the history; `away` is why its database cannot be used now.

    Raises CommandFailed for a URL that names no database.
    """
    from engine.history.database.connections import Database
    from engine.history.errors import HistoryUnavailable
    from engine.history.migrations.migrate import migrate

    try:
        database = Database(url)
        await asyncio.to_thread(migrate, database)
    except SettingError as error:
        raise CommandFailed(str(error)) from error
    except HistoryUnavailable as error:
        return {"away": error.reason}
    database.close()
    return {}


TASKS: tuple[Callable[..., Awaitable[dict[str, Any]]], ...] = (
    prepare,
    release_worker,
    migrate_history,
)


def main() -> None:
    """Run the task that is named."""
    work = next(task for task in TASKS if task.__name__ == sys.argv[1])
    values = json.load(sys.stdin)

    async def run() -> dict[str, Any]:
        return await work(**values)

    try:
        result = asyncio.run(run())
    except CommandFailed as error:
        result = {"failure": str(error)}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
