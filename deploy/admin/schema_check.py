"""Check of the schema of the store, which an upgrade ends with."""

from deploy.admin.checks import Check
from engine.errors import EngineError
from engine.services.old_processes import find_old_processes
from engine.store import Store
from engine.store.redis.installation import SCHEMA

FIX = (
    "Run `headrace migrate` half a minute after the last process of the former version has stopped."
)


async def check_schema(store: Store) -> Check:
    """Report the schema; warn while it is older than the newest one that this version knows."""
    try:
        schema = await store.schema.read()
        older = await find_old_processes(store) if schema < SCHEMA else ()
    except (EngineError, RuntimeError) as error:
        return Check(name="schema", is_well=False, seen=f"cannot be read: {error}", fix=FIX)
    names = ", ".join(f"{each.name} ({each.version or '0.1.0'})" for each in older)
    return Check(
        name="schema",
        is_well=True,
        seen=f"{schema}; processes of an older version run: {names}" if names else f"{schema}",
        warns=schema < SCHEMA,
        fix=FIX,
    )
