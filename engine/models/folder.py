"""Folders of manifests, loaded once or watched for changes."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.models.manifest import Fault, ManifestError, Model, parse_manifest

SUFFIX = ".toml"
SCAN_SECONDS = 2.0
"""Shortest time between two scans of a folder."""

STILL = "a manifest is wrong; what it said before goes on"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedManifests:
    """Models of a folder in the order of their files, and errors of invalid files."""

    models: tuple[Model, ...]
    errors: tuple[ManifestError, ...]


def load(folder: Traversable) -> LoadedManifests:
    """Load a folder's manifests, valid ones and errors of invalid ones. Raises OSError."""
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return _gather((str(file), _read(file)) for file in files if file.name.endswith(SUFFIX))


class WatchedFolder:
    """Watched folder, which reads only changed files.

    A valid file that becomes invalid keeps its last valid model until it is valid again or removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, tuple[tuple[int, int], Model | ManifestError]] = {}
        self._valid: dict[str, Model] = {}
        self._next_scan = 0.0
        self._errors: tuple[ManifestError, ...] = ()
        self._folder_error: ManifestError | None = None
        self.models: Mapping[str, Model] = {}

    @property
    def errors(self) -> tuple[ManifestError, ...]:
        """Errors of the files, and of the folder if it cannot be read."""
        return self._errors if self._folder_error is None else (self._folder_error, *self._errors)

    def refresh(self, *, force: bool = False) -> bool:
        """Scan the files, at most every few seconds; return True if the models changed.

        `force` scans in any case.
        """
        now = time.monotonic()
        if now < self._next_scan and not force:
            return False
        is_first = self._next_scan == 0.0
        self._next_scan = now + SCAN_SECONDS
        return self._scan() or is_first

    def _scan(self) -> bool:
        files = {file.name: (file, _stamp(file)) for file in self._files()}
        changed = [name for name, (_, stamp) in files.items() if self._stamp_of(name) != stamp]
        removed = [name for name in self._read if name not in files]
        if not changed and not removed:
            return False
        for name in removed:
            del self._read[name]
            self._valid.pop(name, None)
        for name in changed:
            file, stamp = files[name]
            self._read[name] = (stamp, _read(file))
        loaded = _gather(self._entries(sorted(files)))
        self._log(loaded.errors, {str(self._path / name): name for name in changed})
        self.models = {model.internal_name: model for model in loaded.models}
        self._errors = loaded.errors
        counts = {"models": len(loaded.models), "wrong": len(loaded.errors)}
        log.info("models read", extra={"folder": str(self._path), **counts})
        return True

    def _entries(self, names: Iterable[str]) -> Iterator[tuple[str, Model | ManifestError]]:
        for name in names:
            file, read = str(self._path / name), self._read[name][1]
            yield file, read
            if isinstance(read, Model):
                self._valid[name] = read
            elif name in self._valid:
                yield file, self._valid[name]

    def _log(self, errors: Iterable[ManifestError], changed: Mapping[str, str]) -> None:
        for error in errors:
            if error.file not in changed:
                continue
            name = changed[error.file]
            has_fallback = name in self._valid and isinstance(self._read[name][1], ManifestError)
            event = STILL if has_fallback else "a manifest is wrong"
            for line in str(error).splitlines():
                log.warning(event, extra={"reason": line})

    def _files(self) -> list[Path]:
        try:
            files = [file for file in self._path.iterdir() if file.name.endswith(SUFFIX)]
        except OSError as error:
            reason = error.strerror or "cannot be read"
            if self._folder_error is None:
                log.warning("no models", extra={"folder": str(self._path), "reason": reason})
            self._folder_error = ManifestError(str(self._path), Fault(None, reason))
            return []
        self._folder_error = None
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
        status = file.stat()
    except OSError:
        return (0, 0)  # reading the file reports the error
    return (status.st_mtime_ns, status.st_size)


def _read(file: Traversable) -> Model | ManifestError:
    try:
        return parse_manifest(file.read_text(encoding="utf-8"), str(file))
    except ManifestError as error:
        return error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        return ManifestError(str(file), Fault(None, str(reason)))
