"""Folders of manifests: read once, or watched for changes while a process runs."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.models.manifest import Fault, ManifestError, Model, parse_manifest

SUFFIX = ".toml"
LOOK_SECONDS = 2.0
"""A folder is looked at again after this time at the earliest."""

STILL = "a manifest is wrong; what it said before goes on"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedManifests:
    """What a folder of manifests gave: models in the order of their files, and the wrong ones."""

    models: tuple[Model, ...]
    errors: tuple[ManifestError, ...]


def load(folder: Traversable) -> LoadedManifests:
    """Read a folder's manifests; wrong ones do not keep the others from loading. Raises OSError."""
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return _gather((str(file), _read(file)) for file in files if file.name.endswith(SUFFIX))


class WatchedFolder:
    """A folder whose files may change; those that do not are not read again.

    A file that was right and is wrong now counts as it was, until it is right again or gone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, tuple[tuple[int, int], Model | ManifestError]] = {}
        self._right: dict[str, Model] = {}
        self._look_at = 0.0
        self._wrong: tuple[ManifestError, ...] = ()
        self._gone: ManifestError | None = None
        self.models: Mapping[str, Model] = {}

    @property
    def errors(self) -> tuple[ManifestError, ...]:
        """What is wrong with the files, or with the folder when it cannot be read."""
        return self._wrong if self._gone is None else (self._gone, *self._wrong)

    def refresh(self, *, is_forced: bool = False) -> bool:
        """Look at the files, at most every few seconds; whether the models are others now.

        `is_forced`: however recent the last look was.
        """
        now = time.monotonic()
        if now < self._look_at and not is_forced:
            return False
        is_first = self._look_at == 0.0
        self._look_at = now + LOOK_SECONDS
        return self._look() or is_first

    def _look(self) -> bool:
        found = {file.name: (file, _stamp(file)) for file in self._files()}
        changed = [name for name, (_, stamp) in found.items() if self._stamp_of(name) != stamp]
        gone = [name for name in self._read if name not in found]
        if not changed and not gone:
            return False
        for name in gone:
            del self._read[name]
            self._right.pop(name, None)
        for name in changed:
            file, stamp = found[name]
            self._read[name] = (stamp, _read(file))
        loaded = _gather(self._entries(sorted(found)))
        self._tell(loaded.errors, {str(self._path / name): name for name in changed})
        self.models = {model.internal_name: model for model in loaded.models}
        self._wrong = loaded.errors
        counts = {"models": len(loaded.models), "wrong": len(loaded.errors)}
        log.info("models read", extra={"folder": str(self._path), **counts})
        return True

    def _entries(self, names: Iterable[str]) -> Iterator[tuple[str, Model | ManifestError]]:
        for name in names:
            file, read = str(self._path / name), self._read[name][1]
            yield file, read
            if isinstance(read, Model):
                self._right[name] = read
            elif name in self._right:
                yield file, self._right[name]

    def _tell(self, errors: Iterable[ManifestError], changed: Mapping[str, str]) -> None:
        for error in errors:
            if error.file not in changed:
                continue
            name = changed[error.file]
            goes_on = name in self._right and isinstance(self._read[name][1], ManifestError)
            event = STILL if goes_on else "a manifest is wrong"
            for line in str(error).splitlines():
                log.warning(event, extra={"reason": line})

    def _files(self) -> list[Path]:
        try:
            files = [file for file in self._path.iterdir() if file.name.endswith(SUFFIX)]
        except OSError as error:
            reason = error.strerror or "cannot be read"
            if self._gone is None:
                log.warning("no models", extra={"folder": str(self._path), "reason": reason})
            self._gone = ManifestError(str(self._path), Fault(None, reason))
            return []
        self._gone = None
        return files

    def _stamp_of(self, name: str) -> tuple[int, int] | None:
        known = self._read.get(name)
        return known[0] if known else None


def _gather(read: Iterable[tuple[str, Model | ManifestError]]) -> LoadedManifests:
    models: dict[str, Model] = {}
    errors: list[ManifestError] = []
    files: dict[str, str] = {}
    for file, each in read:
        if isinstance(each, ManifestError):
            errors.append(each)
        elif each.internal_name in models:
            first = Path(files[each.internal_name]).name
            reason = f"internalName '{each.internal_name}' is taken by {first}"
            errors.append(ManifestError(file, Fault(None, reason)))
        else:
            models[each.internal_name], files[each.internal_name] = each, file
    return LoadedManifests(models=tuple(models.values()), errors=tuple(errors))


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)  # reading it says why
    return (found.st_mtime_ns, found.st_size)


def _read(file: Traversable) -> Model | ManifestError:
    try:
        return parse_manifest(file.read_text(encoding="utf-8"), str(file))
    except ManifestError as error:
        return error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        return ManifestError(str(file), Fault(None, str(reason)))
