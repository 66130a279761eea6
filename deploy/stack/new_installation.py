"""Record in a data directory whose Redis is not marked yet as this installation's."""

from pathlib import Path

from deploy.stack.location import read_private, write_private
from deploy.stack.secret_key import FILE
from engine.ids.partitions import DEFAULT_COUNT, is_count

RECORD = "installation.json"
TRACES = (FILE, "redis", "media", "demo.json")
"""Names of files that a data directory has once a stack has used it."""


def record_new(data_dir: Path) -> None:
    """Record that the directory is new, if it is; must precede the first file in it.

    The record stays until Redis is marked, so that a start that was killed can be repeated.
    """
    is_known = bool(read_private(data_dir / RECORD))
    if not is_known and not any((data_dir / name).exists() for name in TRACES):
        plan(data_dir, adopts=False)


def record_marked(data_dir: Path) -> None:
    """Remove the record of a new directory, once its Redis is marked."""
    write_private(data_dir / RECORD, {"isMarked": True})


def plan(data_dir: Path, *, adopts: bool, partition_count: int | None = None) -> int:
    """Record that the next start marks the Redis; with `adopts` even one of another key.

    Return the number of partitions of an installation that begins then: the given one, else that of
    an earlier plan, else the default.
    """
    count = partition_count or planned_partitions(data_dir)
    record = {"isMarked": False, "adopts": adopts}
    write_private(data_dir / RECORD, record | ({"partitions": count} if count else {}))
    return count or DEFAULT_COUNT


def planned_partitions(data_dir: Path) -> int | None:
    """Return the number of partitions that the next start marks the Redis with; None: any."""
    count = read_private(data_dir / RECORD).get("partitions")
    return count if isinstance(count, int) and is_count(count) else None
