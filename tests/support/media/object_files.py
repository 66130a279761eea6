"""Large inputs and outputs in the folder of a test."""

from pathlib import Path
from urllib.parse import urlsplit

from engine.settings import Settings


def all_outputs(settings: Settings) -> list[Path]:
    """Return the files of all executions."""
    folder = Path(urlsplit(settings.media_url).path) / "outputs"
    return [path for path in folder.rglob("*") if path.is_file()]


def outputs_of(settings: Settings, account_id: str, execution_id: str) -> list[Path]:
    """Return the files of an execution, by name."""
    folder = Path(urlsplit(settings.media_url).path) / "outputs" / account_id / execution_id
    return sorted(folder.iterdir()) if folder.exists() else []
