"""A second build, from another clone in another place, whose files must have the same bytes."""

import sys
import tempfile
from pathlib import Path

from deploy.packaging.release.checksums import read_checksums
from deploy.packaging.release.commands import ReleaseFailed, run
from deploy.packaging.release.sources import Sources

OTHER_MACHINE = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
"""Variables that differ from machine to machine."""
BUILDER = ("-P", "-m", "deploy.packaging.release")
OTHER_UMASK = 'umask 077; exec "$@"'


def build_again(sources: Sources, target: Path) -> list[str]:
    """Build from a new clone, and return the names of files that differ from those of `target`.

    Raises ReleaseFailed.
    """
    if not sources.is_committed:
        raise ReleaseFailed("A second build needs all changes to be committed")
    with tempfile.TemporaryDirectory(prefix="second-build-") as temporary:
        clone = Path(temporary) / "another" / "place"
        run(("git", "clone", "--quiet", sources.root, clone), sources.root)
        run(("git", "checkout", "--quiet", sources.commit), clone)
        other = Path(temporary) / "built"
        builder = (sys.executable, *BUILDER, other)
        environ = {**OTHER_MACHINE, "PYTHONPATH": str(clone)}
        run(("sh", "-c", OTHER_UMASK, "sh", *builder), clone, environ)
        return compare(target, other)


def compare(first: Path, second: Path) -> list[str]:
    """Return the names of files that two builds do not have with the same bytes."""
    sums, others = read_checksums(first), read_checksums(second)
    return sorted(
        name for name in sums.keys() | others.keys() if sums.get(name) != others.get(name)
    )
