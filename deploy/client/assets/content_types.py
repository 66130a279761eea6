"""Content types of files by their names, and endings of files by their types."""

import mimetypes

from engine.media.documents.types import type_of_name
from engine.media.formats import KNOWN, UNTYPED, extension_of


def content_type_of(name: str) -> str:
    """Return the type to upload a file with: texts need one, pictures and sounds do not."""
    return type_of_name(name) or UNTYPED


def ending_of(content_type: str) -> str:
    """Return the ending of a file of this type, with its dot; '' for an unknown one."""
    if content_type in KNOWN:
        return f".{extension_of(content_type)}"
    return mimetypes.guess_extension(content_type) or ""
