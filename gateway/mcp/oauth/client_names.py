"""Names of clients, as they may be shown: a registration can have any text."""

import unicodedata
from urllib.parse import urlsplit

MAX_NAME = 80
NAMELESS = "a program without a name"


def shown_name(name: str | None, redirect_uri: str) -> str:
    """Return the name as it may be shown: one short line without invisible characters.

    A client without one is named after the address that it is sent to.
    """
    visible = "".join(each if _is_visible(each) else " " for each in name or "")
    found = " ".join(visible.split())[:MAX_NAME].strip()
    return found or urlsplit(redirect_uri).hostname or NAMELESS


def _is_visible(character: str) -> bool:
    # Control and format characters turn the direction of a text, or hide in it.
    return unicodedata.category(character)[0] not in "CZ"
