"""Manifest of a backup: facts about the installation, and the parts of the file."""

import msgspec

FORMAT = 1
"""Format of backups that this code writes; larger ones are refused."""
NAME = "manifest.json"
MEDIA_PART = "media.jsonl"


class PartFacts(msgspec.Struct, kw_only=True):
    """Size and SHA-256 of a part before its compression."""

    bytes: int
    sha256: str


class RedisPart(msgspec.Struct, kw_only=True, rename="camel"):
    """RDB file of one server, and the number of the database in it that is the installation's."""

    part: str
    database: int
    server: str
    version: str
    taken_at: int
    """Time of the snapshot in seconds since the epoch, by the server's clock."""


class HistoryPart(msgspec.Struct, kw_only=True, rename="camel"):
    """Rows of the history, by table; `revision` is that of its tables."""

    revision: str
    database_id: str
    rows: dict[str, int]


class MediaPart(msgspec.Struct, kw_only=True):
    """Number and bytes of the objects in the media store, which are not in the backup."""

    objects: int
    bytes: int


class Manifest(msgspec.Struct, kw_only=True, rename="camel"):
    """Facts about a backup, its last part."""

    format: int
    headrace: str
    """Version of Headrace that wrote it."""
    taken_at: str
    installation_ids: list[str]
    schema_version: int
    partitions: int
    redis: list[RedisPart]
    history: HistoryPart | None
    media: MediaPart
    parts: dict[str, PartFacts]


def table_part(table: str) -> str:
    """Return the name of the part with the rows of a table."""
    return f"history/{table}.rows"


def redis_part(number: int) -> str:
    """Return the name of the part with the snapshot of one server."""
    return f"redis/{number}.rdb"
