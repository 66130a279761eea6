"""Example workflows that come with the installation."""

import json
from pathlib import Path
from typing import Any

PACKAGED = Path(__file__).parents[1] / "example_workflows"
SOURCES = Path(__file__).parents[2] / "examples"


def example_documents() -> list[dict[str, Any]]:
    """Return every example, in order of its file name."""
    folder = PACKAGED if PACKAGED.is_dir() else SOURCES
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
