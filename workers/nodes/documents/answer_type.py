"""Type of a document at a foreign URL, by the answer."""

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from engine.media.documents.types import (
    ALIASES,
    OFFICE,
    TEXTS,
    ZIP,
    find_document,
    resolve_type,
    type_of_name,
)


def type_of_answer(data: bytes, declared: str, url: str) -> str | None:
    """Return the type of a document by content, declared type and name; None: it is none.

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
