"""Type of a document at a foreign URL, by the answer."""

import contextlib
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from engine.media.documents.types import (
    ALIASES,
    OFFICE,
    TEXTS,
    ZIP,
    ZIP_MARK,
    find_document,
    resolve_type,
    type_of_name,
)
from engine.media.documents.zip_directory import OfficeFollower
from engine.media.formats import UnfitMedia

PIECE = 1_048_576


def type_of_whole_answer(data: bytes, declared: str, url: str) -> str | None:
    """Return the type of a whole document: the end of an Office document tells which one it is."""
    if data.startswith(ZIP_MARK):
        follower = OfficeFollower()
        for start in range(0, len(data), PIECE):
            follower.feed(data[start : start + PIECE])
        with contextlib.suppress(UnfitMedia):
            return follower.finish().content_type
    return type_of_answer(data, declared, url)


def may_be_office(data: bytes) -> bool:
    """Return whether a file, or its start, may be an Office document."""
    return data.startswith(ZIP_MARK)


def type_of_answer(data: bytes, declared: str, url: str) -> str | None:
    """Return the type of a document by content, declared type and name; None for any other file.

    `data` is the file or its start.
    """
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    plain = declared.partition(";")[0].strip().lower()
    told = resolve_type(ALIASES.get(plain, plain), name)
    choices = [told, type_of_name(name)]
    found = find_document(data, next((each for each in choices if each in TEXTS), None))
    if found == ZIP:
        return next((each for each in choices if each in OFFICE), None)
    return found
