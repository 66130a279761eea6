"""Image edits in child processes: all code that handles pixels."""

from collections.abc import Sequence

from PIL import Image, ImageOps

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import (
    Anchor,
    Caption,
    Compose,
    Convert,
    Crop,
    Edit,
    ImageData,
    Resize,
)
from workers.nodes.imaging.captions import draw_caption
from workers.nodes.imaging.opening import Picture, open_picture
from workers.nodes.imaging.saving import save
from workers.nodes.imaging.sizes import check_size, part_box, sized


def edit(task: Edit, sources: Sequence[bytes]) -> ImageData:
    """Do the edit; `sources` are the image and, to compose, the overlay.

    Raises NodeFailed (bad_media, invalid_value) and MemoryError.
    """
    try:
        picture = _apply(task, sources)
        return save(picture, task.saving)
    except (NodeFailed, MemoryError):
        raise
    except Exception as error:
        raise NodeFailed("bad_media", "The image cannot be worked on") from error


def _apply(task: Edit, sources: Sequence[bytes]) -> Picture:
    match task:
        case Resize():
            return _resize(task, sources[0])
        case Crop():
            picture = open_picture(sources[0])
            return picture.of(picture.image.crop(part_box(task, picture.image.size)))
        case Compose():
            return _compose(task, open_picture(sources[0]), sources[1])
        case Caption():
            picture = open_picture(sources[0])
            return picture.of(draw_caption(picture.image, task))
        case Convert():
            return open_picture(sources[0])


def _resize(task: Resize, source: bytes) -> Picture:
    def wanted(size: tuple[int, int]) -> tuple[int, int]:
        return check_size(sized(task, size))

    picture = open_picture(source, draft=wanted)
    width, height = wanted(picture.full_size)
    if task.width and task.height and task.fit == "cover":
        image = ImageOps.fit(picture.image, (task.width, task.height), Image.Resampling.LANCZOS)
        return picture.of(image)
    return picture.of(picture.image.resize((width, height), Image.Resampling.LANCZOS))


def _compose(task: Compose, picture: Picture, source: bytes) -> Picture:
    base = picture.image
    width = max(1, round(base.width * task.scale))

    def wanted(size: tuple[int, int]) -> tuple[int, int]:
        return check_size((width, max(1, round(size[1] * width / size[0]))))

    above = open_picture(source, draft=wanted)
    overlay = above.image.resize(wanted(above.full_size), Image.Resampling.LANCZOS).convert("RGBA")
    if task.opacity < 1:
        overlay.putalpha(overlay.getchannel("A").point(lambda value: value * task.opacity))
    margin = round(base.width * task.margin)
    place = _place(task.anchor, base.size, overlay.size, margin)
    if base.mode == "RGBA":
        base.alpha_composite(overlay, *_inside(place, overlay.size))
    else:
        base.paste(overlay, place, overlay)
    return picture.of(base)


def _place(
    anchor: Anchor, outer: tuple[int, int], inner: tuple[int, int], margin: int
) -> tuple[int, int]:
    left, top = (
        round(margin + share * (whole - part - 2 * margin))
        for share, whole, part in zip(anchor.shares, outer, inner, strict=True)
    )
    return left, top


def _inside(
    place: tuple[int, int], size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """Return the overlay's position, and its part that is not beyond the left or the top."""
    left, top = place
    source = (max(0, -left), max(0, -top), *size)
    return (max(0, left), max(0, top)), source
