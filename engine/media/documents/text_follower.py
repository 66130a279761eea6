"""Check of a streamed text: UTF-8 without NUL characters."""

from codecs import getincrementaldecoder

from engine.media.formats import UnfitMedia
from engine.media.stream_follower import HeaderMetadata

NOT_UTF_8 = "The text is not UTF-8: save it in that encoding"


def begins_as_text(head: bytes) -> bool:
    """Return True if the start of a file, which may end within a character, fits a text."""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


class TextFollower:
    """Watches that a file is UTF-8 without NUL, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")()
        self._is_empty = True

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes. Raises UnfitMedia."""
        if not piece:
            return
        self._is_empty = False
        if b"\0" in piece:
            raise UnfitMedia("The text has a NUL character in it; texts are UTF-8")
        self._decode(piece)

    def finish(self) -> HeaderMetadata | None:
        """Mark the end of the file. Raises UnfitMedia if it is empty or ends in a character."""
        if self._is_empty:
            raise UnfitMedia("The file is empty")
        self._decode(b"", is_last=True)
        return None

    def _decode(self, piece: bytes, *, is_last: bool = False) -> None:
        try:
            self._decoder.decode(piece, is_last)
        except UnicodeDecodeError:
            raise UnfitMedia(NOT_UTF_8) from None
