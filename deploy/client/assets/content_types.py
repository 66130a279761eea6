"""Content types of files by their names, and endings of files by their types."""

import mimetypes
from pathlib import PurePath

UNTYPED = "application/octet-stream"
"""Type of files that tell by their content what they are."""
OFFICE = "application/vnd.openxmlformats-officedocument"
DOCUMENTS = {
    ".pdf": "application/pdf",
    ".docx": f"{OFFICE}.wordprocessingml.document",
    ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".json": "application/json",
}
ENDINGS = {
    **{kind: ending for ending, kind in reversed(DOCUMENTS.items())},
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".webm",
    "image/avif": ".avif",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
}
"""Endings that `mimetypes` lacks on some systems, or chooses among several."""


def content_type_of(name: str) -> str:
    """Return the type to upload a file with: texts need one, pictures and sounds do not."""
    return DOCUMENTS.get(PurePath(name).suffix.lower(), UNTYPED)


def ending_of(content_type: str) -> str:
    """Return the ending of a file of this type, with its dot; '' for an unknown one."""
    return ENDINGS.get(content_type) or mimetypes.guess_extension(content_type) or ""
