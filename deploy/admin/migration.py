"""Migration of an installation to this version: the tables of its history, and its store."""

import asyncio
from pathlib import Path
from typing import Any

from deploy.admin.history import migrate_database
from deploy.admin.history_database import find_database
from deploy.output.problems import CommandFailed
from deploy.stack.installation import redis_address
from deploy.stack.location import find_stack
from deploy.stack.store_access import explained, with_store
from engine.services.old_processes import find_old_processes
from engine.store import Store
from engine.store.redis.installation import SCHEMA, find_marker

Row = dict[str, Any]

NO_STORE: Row = {"schemaVersion": None, "olderProcesses": []}


def migrate(data_dir: Path) -> Row:
    """Migrate the history, and the store unless processes of an older version use it.

    The tables come first: they only grow while two versions run. `schemaVersion` is that of the
    store afterwards. It is None where no stack runs, since the next `headrace up` migrates its
    store, and before `headrace init`, which begins with the newest one. Raises CommandFailed.
    """
    row = migrate_database(find_database(data_dir))
    try:
        stack = find_stack(data_dir)
    except CommandFailed:
        return row | NO_STORE
    with explained():
        marker = asyncio.run(find_marker(redis_address(stack.redis_url, stack.settings)))
    return row | (NO_STORE if marker is None else with_store(data_dir, migrate_store))


async def migrate_store(store: Store) -> Row:
    """Raise the schema of the store unless `olderProcesses` run; return it. Raises Unavailable."""
    schema = await store.schema.read()
    older = [] if schema >= SCHEMA else await find_old_processes(store)
    if schema < SCHEMA and not older:
        schema = await store.schema.raise_to_newest()
    rows = [{"name": each.name, "version": each.version or None} for each in older]
    return {"schemaVersion": schema, "olderProcesses": rows}


def explain_delay(row: Row) -> str:
    """Return why the schema was not raised, with the remedy; empty where it was."""
    older = [f"{each['name']} ({each['version'] or '0.1.0'})" for each in row["olderProcesses"]]
    if not older:
        return ""
    return (
        f"The schema of the store stays at {row['schemaVersion']}, since processes of an older "
        f"version run: {', '.join(older)}. Run `headrace migrate` again half a minute after the "
        "last of them has stopped."
    )
