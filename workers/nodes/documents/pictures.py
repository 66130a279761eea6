"""Pages of a PDF without a text: drawn in a child process, and read by a local model."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import DocumentText
from workers.nodes.documents.limits import unreadable

PAGES_AT_ONCE = 4
"""Pages that are drawn by one call."""
RETOLD = frozenset({"timeout", "resource_exhausted", "bad_media"})

Draw = Callable[[Sequence[int]], Awaitable[list[bytes]]]
ReadImage = Callable[[bytes], Awaitable[str]]


async def read_pictures(
    contents: DocumentText, draw: Draw, read_image: ReadImage, seconds: float
) -> DocumentText:
    """Return the contents with the texts that pages have as pictures, within `seconds`.

    Raises NodeFailed (document_unreadable, not_installed).
    """
    pages = list(contents.pages)
    bare = [number for number, page in enumerate(pages) if not page.strip()]
    try:
        async with asyncio.timeout(seconds):
            for start in range(0, len(bare), PAGES_AT_ONCE):
                numbers = bare[start : start + PAGES_AT_ONCE]
                for number, picture in zip(numbers, await draw(numbers), strict=True):
                    pages[number] = await read_image(picture) if picture else ""
    except TimeoutError:
        raise _too_slow(len(bare), seconds) from None
    except NodeFailed as failure:
        if failure.code not in RETOLD:
            raise
        if failure.code == "timeout":
            raise _too_slow(len(bare), seconds) from None
        message = f"A page of the document cannot be read as a picture: {failure.message}"
        raise unreadable(message) from None
    return replace(contents, pages=tuple(pages))


def _too_slow(count: int, seconds: float) -> NodeFailed:
    message = (
        f"The {count} pages without a text were not read as pictures within "
        f"{round(seconds, 2):g} s, the rest of the node's time; timeoutSeconds gives it more"
    )
    return unreadable(message)
