"""After the death of a gateway or a worker: its leases, and the schema of its store."""

import contextlib
from typing import Any

from deploy.output.problems import CommandFailed, SchemaRefused
from deploy.stack.store_access import open_store
from engine.errors import EngineError


async def run(*, redis_url: str, worker_pid: int | None) -> dict[str, Any]:
    """Release the leases of a dead worker process, before they expire.

    The result has a `refusal`, a sentence, when the store has a schema that is unknown here. A
    Redis that is away is left alone.
    """
    try:
        with contextlib.suppress(EngineError):
            async with open_store(redis_url) as store:
                if worker_pid is not None:
                    await store.leases.end_leases_of_process(worker_pid)
    except SchemaRefused as error:
        return {"refusal": str(error)}
    except CommandFailed:
        return {}
    return {}
