"""Script of a child process: reads an image from stdin, writes a WebP thumbnail to stdout."""

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps

from engine.media.formats import DECODED, MAX_PIXELS, check_work

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 5
QUALITY = 80


def shrink(data: bytes, width: int) -> bytes:
    """Return the image, or the first frame of an animation, with at most this width."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    picture = Image.open(io.BytesIO(data), formats=DECODED)
    check_work(f"image/{str(picture.format).lower()}", picture.size, data)
    picture.draft("RGB", (width, width * picture.height // picture.width + 1))
    upright = ImageOps.exif_transpose(picture)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    small = upright.convert(mode)
    small.thumbnail((width, 4 * width))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()


def limit_resources() -> None:
    """Limit memory and CPU time of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def main() -> None:
    """Shrink the image on stdin, within limits of memory and CPU time."""
    limit_resources()
    sys.stdout.buffer.write(shrink(sys.stdin.buffer.read(), int(sys.argv[1])))


if __name__ == "__main__":
    main()
