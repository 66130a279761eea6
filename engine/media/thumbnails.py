"""Thumbnails, made in a child process that is killed after a timeout."""

import asyncio
import sys
from pathlib import Path

from engine.media.formats import UnfitMedia

SCRIPT = Path(__file__).with_name("thumbnail_script.py")
CONTENT_TYPE = "image/webp"
MAX_BYTES = 33_554_432
"""Largest file of which a thumbnail is made."""
SECONDS = 10.0
ERROR = "No smaller picture can be made of this file"


async def make_thumbnail(data: bytes, width: int) -> bytes:
    """Return the image as WebP of at most this width. Raises UnfitMedia."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(SCRIPT), str(width)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            thumbnail, _ = await process.communicate(data)
    except TimeoutError:
        raise UnfitMedia(ERROR) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not thumbnail:
        raise UnfitMedia(ERROR)
    return thumbnail
