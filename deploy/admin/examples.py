"""Workflows that come with the installation: examples, and templates to begin with."""

import json
from pathlib import Path
from typing import Any

PACKAGED = Path(__file__).parents[1] / "example_workflows"
SAMPLE_SLUG = "greeting-letter"
"""Slug of the example that needs no model, and that is run first."""
SOURCES = Path(__file__).parents[2] / "examples"


def example_documents() -> list[dict[str, Any]]:
    """Return every example, in order of its file name."""
    return [*_documents(_folder()).values()]


def template_documents() -> dict[str, dict[str, Any]]:
    """Return every template by its file name without the ending."""
    return _documents(_folder() / "templates")


def _folder() -> Path:
    return PACKAGED if PACKAGED.is_dir() else SOURCES


def _documents(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
