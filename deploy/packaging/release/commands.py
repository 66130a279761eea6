"""Commands that the builder runs; their output is shown only when they fail."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 600
LAST_CHARACTERS = 4_000


class ReleaseFailed(Exception):
    """A release cannot be built; the text is a sentence with the reason."""


def run(
    command: Sequence[str | Path], folder: Path, environ: Mapping[str, str] | None = None
) -> str:
    """Run a command in a folder and return its standard output. Raises ReleaseFailed."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ReleaseFailed(f"{words[0]} does not run: {problem}") from problem
    if done.returncode:
        sys.stderr.write((done.stdout + done.stderr)[-LAST_CHARACTERS:])
        raise ReleaseFailed(f"`{' '.join(words)}` ended with {done.returncode}")
    return done.stdout
