"""Small pictures, each made in a child process that is killed after a timeout."""

import asyncio
import sys
from pathlib import Path

from engine.media.formats import UnfitMedia

FOLDER = Path(__file__).parent
THUMBNAIL, PAGE = FOLDER / "thumbnail_script.py", FOLDER / "page_script.py"
CONTENT_TYPE = "image/webp"
MAX_BYTES = 33_554_432
"""Largest file of which a picture is made."""
SECONDS = 10.0
NO_PAGE = 3
"""Exit code of a child whose document has no such page."""
ERROR = "No smaller picture can be made of this file"


class PageNotFound(UnfitMedia):
    """The document has no page with this number."""


async def make_thumbnail(data: bytes, width: int) -> bytes:
    """Return the image as WebP of at most this width. Raises UnfitMedia."""
    return await _run(THUMBNAIL, data, width)


async def make_page(data: bytes, width: int, page: int) -> bytes:
    """Return a page of a PDF, the first one being 1, as WebP. Raises UnfitMedia, PageNotFound."""
    return await _run(PAGE, data, width, page)


async def _run(script: Path, data: bytes, *numbers: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(script), *map(str, numbers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            picture, _ = await process.communicate(data)
    except TimeoutError:
        raise UnfitMedia(ERROR) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == NO_PAGE:
        raise PageNotFound("The document has no such page")
    if process.returncode or not picture:
        raise UnfitMedia(ERROR)
    return picture
