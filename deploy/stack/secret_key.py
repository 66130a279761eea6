"""Key that seals secrets: from the environment, or from the data directory."""

import os
import secrets
from pathlib import Path

VARIABLE = "HEADRACE_SECRET_KEY"
FILE = "secret.key"


def find_key(data_dir: Path) -> str:
    """Return the key of the stack on this data directory; empty when there is none yet."""
    return os.environ.get(VARIABLE, "") or read_key(data_dir)


def read_key(data_dir: Path) -> str:
    """Return the key in the data directory; empty when there is none."""
    try:
        return (data_dir / FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def find_or_make_key(data_dir: Path) -> str:
    """Like `find_key`, but creates a missing key, readable by its owner alone."""
    known = find_key(data_dir)
    if known:
        return known
    made = secrets.token_hex(32)
    draft = data_dir / f"{FILE}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{made}\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(data_dir / FILE)
    return made
