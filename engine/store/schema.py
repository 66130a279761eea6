"""Schema version of the store, which decides on the releases that may use it."""

from engine.errors import NotMigrated
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA, Guard
from engine.store.redis.scripts import SCRIPTS

RELEASES_SCHEMA = 3
"""Schema from which on a workflow may have aliases, canaries, replays and test runs.

Release 0.2.0 would give the number of a canary's version to another one, remove versions that only
an alias names, and call models for items of replays.
"""
FILES_SCHEMA = 3
"""Schema from which on documents may be stored: release 0.2.0 cannot list media with them."""
NOT_MIGRATED = (
    "{} need the store's new schema: the operator runs `headrace migrate` once all processes of "
    "the version before are gone"
)


class StoreSchema:
    """Reads and raises the schema version, and decides on features that need one."""

    def __init__(self, client: Client, guard: Guard) -> None:
        self._client = client
        self._guard = guard

    def allows(self, since: int) -> bool:
        """Return whether the store has this schema version or a newer one, without a round trip.

        Whatever a process of an older release does not tolerate is used only if this is true: then
        none runs any more. A schema that was just raised is noticed within a second.
        """
        return since <= FIRST_SCHEMA or self._guard.schema >= since

    def require(self, since: int, noun: str) -> None:
        """Raise NotMigrated, with the noun, while processes may run that do not tolerate it."""
        if not self.allows(since):
            raise NotMigrated(NOT_MIGRATED.format(noun))

    async def read(self) -> int:
        """Return the schema version. Raises Unavailable."""
        return int(await self._client.send("HGET", keyspace.installation(), "schema"))

    async def raise_to_newest(self) -> int:
        """Raise it to the newest one known here; return it as it is then. Raises Unavailable.

        Call it only after the last process that does not know that one has gone: a process that
        begins meanwhile is refused within a second, and what it has written until then is of the
        old schema, which is served too.
        """
        raised = await self._client.call(
            SCRIPTS["raise_schema"], installation=keyspace.installation(), schema=SCHEMA
        )
        return int(raised)
