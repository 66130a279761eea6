"""Location of a stack: `headrace up` records it in the data directory for other commands."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.output.problems import CommandFailed
from deploy.stack.secret_key import VARIABLE, read_key
from engine.history.database.location import sqlite_url

REDIS_URL = "HEADRACE_REDIS_URL"
RECORD = "stack.json"
RESTORING = "restoring.json"
"""Record in a data directory while a backup is being restored."""
TIERS_FILE = "HEADRACE_TIERS_FILE"
LOCAL_MODEL_URL = "HEADRACE_LOCAL_MODEL_URL"
REDIS_TLS = ("HEADRACE_REDIS_TLS_CERT", "HEADRACE_REDIS_TLS_KEY", "HEADRACE_REDIS_TLS_CA")
PATHS = (TIERS_FILE, "HEADRACE_MODELS_DIR", *REDIS_TLS)
MEDIA_URL = "HEADRACE_MEDIA_URL"
DATABASE_URL = "HEADRACE_DATABASE_URL"
SHARED = (
    *PATHS,
    MEDIA_URL,
    "HEADRACE_MEDIA_FREE_BYTES",
    "HEADRACE_RETENTION_DAYS",
    DATABASE_URL,
    LOCAL_MODEL_URL,
)
"""Settings that lead to the store or determine its contents, so commands use the stack's values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Addresses of a stack: its Redis, and its API if known."""

    data_dir: Path
    redis_url: str
    url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Shared settings that the stack was started with, and its key for secrets."""
    demo_environ: Mapping[str, str] = field(default_factory=dict)
    """Variables that lead calls of models to the stack's demo provider."""


def find_stack(data_dir: Path, environ: Mapping[str, str] | None = None) -> Stack:
    """Return the stack that the environment or the data directory names."""
    environ = os.environ if environ is None else environ
    record = read_private(data_dir / RECORD)
    named = environ.get(REDIS_URL)
    if named:
        if record.get("redisUrl") != named:
            return Stack(data_dir=data_dir, redis_url=named)
        return _recorded(data_dir, record)
    if not record:
        raise CommandFailed(
            f"No stack runs on {data_dir}: start one with `headrace up`, "
            f"name another --data-dir, or set {REDIS_URL}."
        )
    return _recorded(data_dir, record)


def remember(stack: Stack) -> None:
    """Record a stack that has started."""
    record = {
        "redisUrl": stack.redis_url,
        "url": stack.url,
        "settings": dict(stack.settings),
        "demoEnviron": dict(stack.demo_environ),
    }
    write_private(stack.data_dir / RECORD, record)


def shared_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the shared settings of an environment, independent of the working directory."""
    shared = {name: environ[name] for name in SHARED if name in environ}
    paths = {name: str(Path(shared[name]).resolve()) for name in PATHS if shared.get(name)}
    return shared | paths


def media_url(data_dir: Path, environ: Mapping[str, str]) -> str:
    """Return the media URL of a stack: the environment's, else a folder in the data directory."""
    return environ.get(MEDIA_URL) or (data_dir / "media").as_uri()


def database_url(data_dir: Path, environ: Mapping[str, str]) -> str:
    """Return the URL of a stack's history: the environment's, else a file in the data directory."""
    return environ.get(DATABASE_URL) or sqlite_url(data_dir)


def forget(data_dir: Path) -> None:
    """Remove the record of a stack that has stopped."""
    (data_dir / RECORD).unlink(missing_ok=True)


def open_data_dir(path: Path) -> Path:
    """Return the data directory, created if it is missing, readable by its owner alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise CommandFailed(
            f"The data directory {path} cannot be used: {error.strerror}."
        ) from error
    return path.resolve()


def lock_data_dir(data_dir: Path) -> int:
    """Lock the directory for this process; the lock ends with the process."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 20).decode().strip() or "unknown"
        os.close(descriptor)
        raise CommandFailed(
            f"Another `headrace up` (process {owner}) already uses {data_dir}."
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def require_whole(data_dir: Path) -> None:
    """Raise CommandFailed if a restore into the data directory was interrupted."""
    if (data_dir / RESTORING).exists():
        raise CommandFailed(
            f"{data_dir} is not restored whole: run `headrace restore` again, with the same backup."
        )


def read_private(path: Path) -> dict[str, Any]:
    """Read a small JSON record; empty when it is missing or damaged."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _recorded(data_dir: Path, record: Mapping[str, Any]) -> Stack:
    return Stack(
        data_dir=data_dir,
        redis_url=record["redisUrl"],
        url=record.get("url"),
        settings={**record.get("settings", {}), **_secret_key(data_dir)},
        demo_environ=record.get("demoEnviron", {}),
    )


def _secret_key(data_dir: Path) -> dict[str, str]:
    kept = read_key(data_dir)
    return {VARIABLE: kept} if kept else {}


def write_private(path: Path, record: Mapping[str, Any]) -> None:
    """Write a small JSON record atomically, readable by its owner alone."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(record, file)
    draft.replace(path)
