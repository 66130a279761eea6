"""Records of workflows as they are read."""

from dataclasses import dataclass
from typing import Any

from engine.graph.document import Document, from_record
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
    problems: tuple[dict[str, str], ...]
    created_at: int
    updated_at: int
    operation: str
    """Id of the last save, which tells apart what was saved without making a version."""
    size: int
    """Estimated size in memory in bytes."""


def parse_workflow(account_id: str, slug: str, version: int, data: bytes, head: Any) -> Workflow:
    """Read a version's record; `head` has version, state, both times and operation."""
    record = unpack(data)
    return Workflow(
        slug=slug,
        account_id=account_id,
        version=version,
        document=from_record(record["document"]),
        problems=tuple(record["problems"]),
        created_at=int(head[2]),
        updated_at=int(head[3]),
        operation=(head[4] or b"").decode(),
        size=unpacked_size(data),
    )
