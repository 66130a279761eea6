"""Migration of the store, after its processes of an older version have gone."""

from typing import Any

from deploy.admin.migration import explain_delay, migrate_store
from deploy.output.problems import CommandFailed
from deploy.stack.secret_key import VARIABLE
from deploy.stack.store_access import open_store
from engine.errors import EngineError


async def run(*, redis_url: str, secret_key: str) -> dict[str, Any]:
    """Raise the schema; `delay` is why it was not raised, as when the Redis is away."""
    try:
        async with open_store(redis_url, {VARIABLE: secret_key}) as store:
            return {"delay": explain_delay(await migrate_store(store))}
    except (CommandFailed, EngineError) as error:
        return {"delay": str(error)}
