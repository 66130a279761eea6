"""Recognition of text in images, in child processes."""

from functools import lru_cache
from typing import Any

from PIL import Image

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import READ_SIDE
from engine.process.extras import install_hint
from workers.nodes.imaging.opening import Picture, open_picture

PARAMS = {
    "Global.log_level": "critical",
    "Global.max_side_len": READ_SIDE,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def read_text(data: bytes) -> str:
    """Return the lines of an image, from top to bottom; empty for none.

    Raises NodeFailed (bad_media, not_installed) and MemoryError.
    """
    picture = open_picture(data, draft=_fitting)
    try:
        found = _engine()(_pixels(picture))
    except (MemoryError, NodeFailed):
        raise
    except Exception as error:
        if "bad_alloc" in str(error):
            raise MemoryError from None
        raise NodeFailed("bad_media", "The image cannot be read") from error
    return "\n".join(found.txts or ())


@lru_cache(maxsize=1)
def _engine() -> Any:
    """Return the models, loaded once in each process."""
    try:
        import cv2
        from rapidocr import RapidOCR
    except ImportError:
        message = f"The worker lacks the extra local-ocr: {install_hint('local-ocr')}"
        raise NodeFailed("not_installed", message) from None
    cv2.setNumThreads(1)
    return RapidOCR(params=PARAMS)


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    share = min(1.0, READ_SIDE / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _pixels(picture: Picture) -> Any:
    """Return blue, green and red, as the models take them; transparency becomes white."""
    import numpy

    image = picture.image.resize(_fitting(picture.image.size), Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    return numpy.asarray(image)[:, :, ::-1].copy()
