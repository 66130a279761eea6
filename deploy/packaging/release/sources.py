"""Sources of a release: the files that git has in a clone, and the time of its commit."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.packaging.release.commands import run

FILE_MODE = 0o644
PROGRAM_MODE = 0o755
OWNER_EXECUTES = 0o100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """A clone, its commit, and the files in it that belong to a release."""

    root: Path
    commit: str
    epoch: int
    """Time of the commit in seconds, which all built files get."""
    is_committed: bool
    """Whether the files are those of the commit."""
    files: tuple[Path, ...]

    @property
    def environ(self) -> dict[str, str]:
        """Variables that give builders the time and the code of the sources."""
        return {"SOURCE_DATE_EPOCH": str(self.epoch), "PYTHONPATH": str(self.root)}


def read_sources(root: Path) -> Sources:
    """Return the sources of a clone, with files that are not committed yet.

    Raises ReleaseFailed.
    """
    commit, epoch = _git(root, "log", "-1", "--format=%H %ct").split()
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return Sources(
        root=root,
        commit=commit,
        epoch=int(epoch),
        is_committed=not _git(root, "status", "--porcelain").strip(),
        files=tuple(Path(name) for name in sorted(set(listed)) if name and _is_file(root / name)),
    )


def copy_sources(sources: Sources, target: Path) -> None:
    """Copy the files into a new folder, with modes that do not depend on the clone's."""
    for name in sources.files:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sources.root / name, place)
        is_program = (sources.root / name).stat().st_mode & OWNER_EXECUTES
        place.chmod(PROGRAM_MODE if is_program else FILE_MODE)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _git(root: Path, *words: str) -> str:
    return run(("git", "-C", root, *words), root)
