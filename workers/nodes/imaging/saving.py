"""Encoding of images, without the metadata of their origin."""

import io
from typing import Any

from PIL import Image

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import ImageData, ImageFormat, SaveOptions
from workers.nodes.imaging.opening import Picture

QUALITIES = {ImageFormat.JPEG: 90, ImageFormat.WEBP: 85, ImageFormat.AVIF: 70}
AVIF_SPEED = 9
"""12 MP take one second rather than five, and 2 % more bytes."""
MAX_AVIF_PIXELS = 13_000_000
"""Limit of encoding within the memory of a child process."""
WEBP_METHOD = 2
PNG_LEVEL = 3
"""No larger than with the usual 6, in a quarter of the time."""


def save(picture: Picture, saving: SaveOptions) -> ImageData:
    """Encode the picture. Raises NodeFailed (resource_exhausted)."""
    target = saving.format or picture.format
    image = picture.image
    if target is ImageFormat.AVIF and image.width * image.height > MAX_AVIF_PIXELS:
        message = f"An AVIF can be written with at most {MAX_AVIF_PIXELS} pixels; resize it first"
        raise NodeFailed("resource_exhausted", message)
    if target is ImageFormat.JPEG and image.mode == "RGBA":
        image = _flatten(image, saving.background)
    buffer = io.BytesIO()
    image.info = {}
    image.save(buffer, format=target.upper(), **_options(picture, target, saving))
    return ImageData(data=buffer.getvalue(), content_type=target.content_type)


def _options(picture: Picture, target: ImageFormat, saving: SaveOptions) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if picture.profile:
        options["icc_profile"] = picture.profile
    if target in QUALITIES:
        options["quality"] = saving.quality or QUALITIES[target]
    if target is ImageFormat.AVIF:
        options |= {"speed": AVIF_SPEED, "max_threads": 1}
    if target is ImageFormat.WEBP:
        options["method"] = WEBP_METHOD
    if target is ImageFormat.PNG:
        options["compress_level"] = PNG_LEVEL
    return options


def _flatten(image: Image.Image, background: str) -> Image.Image:
    flat = Image.new("RGB", image.size, background[:7])
    flat.paste(image, mask=image.getchannel("A"))
    return flat
