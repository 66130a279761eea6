"""Sizes and parts of images, computed before any pixel is touched."""

from engine.errors.nodes import NodeFailed
from engine.media.formats import MAX_PIXELS
from engine.nodes.support.image_edits import MAX_SIDE, Crop, Fit, Resize

Size = tuple[int, int]


def check_size(size: Size) -> Size:
    """Return the size if it is allowed. Raises NodeFailed (invalid_value)."""
    width, height = size
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        message = f"The image would have {width} x {height} pixels, more than is allowed"
        raise NodeFailed("invalid_value", message)
    return size


def sized(task: Resize, size: Size) -> Size:
    """Return the size to which an image of this size is scaled, before it is cropped."""
    width, height = size
    if task.width and task.height:
        if task.fit is Fit.STRETCH:
            return task.width, task.height
        choose = max if task.fit is Fit.COVER else min
        scale = choose(task.width / width, task.height / height)
        return _rounded(width * scale), _rounded(height * scale)
    scale = task.width / width if task.width else (task.height or height) / height
    return (
        task.width or _rounded(width * scale),
        task.height or _rounded(height * scale),
    )


def part_box(task: Crop, size: Size) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the cropped part. Raises NodeFailed (invalid_value)."""
    width, height = _part_size(task, size)
    if task.corner is not None:
        left, top = task.corner
    else:
        across, down = task.anchor.shares
        left = round((size[0] - width) * across)
        top = round((size[1] - height) * down)
    box = (max(left, 0), max(top, 0), min(left + width, size[0]), min(top + height, size[1]))
    if box[0] >= box[2] or box[1] >= box[3]:
        message = f"Nothing of the image, which has {size[0]} x {size[1]} pixels, would be left"
        raise NodeFailed("invalid_value", message)
    return box


def _part_size(task: Crop, size: Size) -> Size:
    if task.ratio is None:
        return task.size or size
    across, down = task.ratio
    scale = min(size[0] / across, size[1] / down)
    return _rounded(across * scale), _rounded(down * scale)


def _rounded(length: float) -> int:
    return max(1, round(length))
