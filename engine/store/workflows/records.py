"""Records of workflows as they are read."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.errors import VersionNotFound
from engine.graph.document import Document, from_record
from engine.releases.aliases import LIVE, NO_ALIASES, Aliases
from engine.store.formats import Format
from engine.store.redis.record_packing import unpack, unpacked_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """Version of a workflow, or its draft where it was never published.

    `problems` is empty when it can run. Times are milliseconds since the epoch.
    """

    slug: str
    account_id: str
    version: int
    """0: it was never published."""
    document: Document
    problems: tuple[dict[str, Any], ...]
    created_at: int
    updated_at: int
    operation: str
    """Id of the last save; it also changes with a save that makes no version."""
    size: int
    """Estimated size in memory in bytes."""
    aliases: Aliases = NO_ALIASES
    """Aliases as they were when the record was read."""
    needs: tuple[str, ...] = ()
    """Features that the plan uses and 0.1.0 does not know."""
    is_known: bool = True
    """Whether this process knows the format of the record."""

    def version_of(self, name: str) -> int:
        """Return the version of an alias. Raises VersionNotFound."""
        choice = self.aliases.choose(name, "")
        if choice is None and name != LIVE:
            raise VersionNotFound
        return self.version if choice is None else choice.version


class WorkflowHead(NamedTuple):
    """Fields of a workflow's record, by their names there; None for one that it lacks."""

    version: bytes | None
    """The live one."""
    state: bytes | None
    created: bytes | None
    updated: bytes | None
    operation: bytes | None
    aliases: bytes | None = None
    aliases_revision: bytes | None = None

    @property
    def is_gone(self) -> bool:
        """Return whether there is no such workflow, or none any more."""
        return self.state is None or self.state == b"deleted"


def parse_workflow(
    account_id: str, slug: str, version: int, data: bytes, head: WorkflowHead
) -> Workflow:
    """Return a version of its record and the workflow's head."""
    record = unpack(data)
    return Workflow(
        slug=slug,
        account_id=account_id,
        version=version,
        document=from_record(record["document"]),
        problems=tuple(record["problems"]),
        created_at=int(head.created or 0),
        updated_at=int(head.updated or 0),
        operation=(head.operation or b"").decode(),
        size=unpacked_size(data),
        aliases=Aliases.parse(head.aliases, head.aliases_revision),
        needs=tuple(record.get("needs", ())),
        is_known=Format.WORKFLOW_VERSION.knows(record),
    )
