"""Facts of a version beside its document, so that lists of versions read no documents."""

from dataclasses import dataclass

from engine.graph.document import Document
from engine.releases.aliases import LIVE, NO_ALIASES, Aliases
from engine.store.redis.record_packing import pack, unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """One version of a workflow. Times are milliseconds since the epoch."""

    version: int
    note: str | None
    created_by: str
    """The account."""
    created_at: int
    node_count: int
    is_live: bool
    """Whether callers run it."""
    is_canary: bool = False
    """Whether it is the canary of an alias."""
    aliases: tuple[str, ...] = ()
    """Names of its aliases."""


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Versions of a workflow, newest first, and the cursor of the next page."""

    rows: list[VersionFacts]
    next_cursor: str | None


def pack_facts(note: str | None, account_id: str, document: Document) -> bytes:
    """Encode the facts of a version that the save knows; the script adds its time."""
    return pack({"note": note, "by": account_id, "nodes": len(document.nodes)})


def parse_facts(
    version: int, data: bytes, *, is_live: bool, aliases: Aliases = NO_ALIASES
) -> VersionFacts:
    """Read a version's facts as they are stored: milliseconds, a colon and `pack_facts`."""
    at, _, record = data.partition(b":")
    facts = unpack(record)
    return VersionFacts(
        version=version,
        note=facts["note"],
        created_by=facts["by"],
        created_at=int(at),
        node_count=facts["nodes"],
        is_live=is_live,
        is_canary=aliases.is_canary(version),
        aliases=tuple(name for name in aliases.names_of(version) if name != LIVE),
    )
