"""Types of files by their names: systems know few types of documents, and some by other names."""

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
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".json": "application/json",
}
SOUNDS = {".m4a": "audio/mp4", ".opus": "audio/ogg", ".ogg": "audio/ogg", ".wav": "audio/wav"}


def guess_type(name: str) -> str:
    """Return the type of a file by its name."""
    ending = PurePath(name).suffix.lower()
    known = DOCUMENTS.get(ending) or SOUNDS.get(ending)
    return known or mimetypes.guess_type(name)[0] or UNTYPED
