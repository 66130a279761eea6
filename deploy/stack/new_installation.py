"""Record in a data directory whose Redis is not marked yet as this installation's."""

from pathlib import Path

from deploy.stack.location import read_private, write_private
from deploy.stack.secret_key import FILE

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


def plan(data_dir: Path, *, adopts: bool) -> None:
    """Record that the next start marks the Redis; with `adopts` even one of another key."""
    write_private(data_dir / RECORD, {"isMarked": False, "adopts": adopts})
