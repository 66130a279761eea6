"""Image Text: local text recognition in images."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import longest_list, unknown_list
from engine.nodes.support.image_edits import MAX_READ
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.settings import Faults
from engine.process.extras import install_hint
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType

IMAGE_IN, TEXT_OUT = "image-in", "text-out"
RUNTIME = "rapidocr"
MISSING = (
    "reading texts in images needs the extra local-ocr, which is not installed here: "
    f"{install_hint('local-ocr')}"
)
IMAGES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class ImageTextSettings:
    """Empty settings."""


class ImageText(NodeType):
    """Outputs the text lines of an image, or of each image in a list."""

    type = "imageText"
    category = "Image Tools"
    label = "Image Text"
    description = "Recognizes the text in an image."
    kind = WorkKind.CPU

    def read(self, data: Mapping[str, Any], faults: Faults) -> ImageTextSettings:
        missing = self.unavailable_reason()
        if missing:
            faults.add_rule(missing)
        return ImageTextSettings()

    def unavailable_reason(self) -> str | None:
        return None if is_installed() else MISSING

    def inputs(self, settings: ImageTextSettings) -> Mapping[str, Socket]:
        return {IMAGE_IN: Socket(type=SocketType.IMAGE, required=True)}

    def outputs(self, settings: ImageTextSettings) -> Mapping[str, Socket]:
        return {TEXT_OUT: Socket(type=SocketType.TEXT)}

    def estimate_outputs(
        self, settings: ImageTextSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return {TEXT_OUT: unknown_list(longest_list([inputs.get(IMAGE_IN)]))}

    async def run(
        self, settings: ImageTextSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        wired = inputs.get(IMAGE_IN)
        if not isinstance(wired, list):
            return {TEXT_OUT: await _read(wired, context)}
        if len(wired) > MAX_READ:
            message = f"A list of images to read has at most {MAX_READ} items, not {len(wired)}"
            raise NodeFailed("invalid_value", message)

        async def work(position: int, url: Any) -> str:
            return await _read(url, context, f"Item {position + 1}: ")

        return {TEXT_OUT: await run_each(work, wired, IMAGES_AT_ONCE)}


def is_installed() -> bool:
    """Return True if the OCR package is installed, without loading it."""
    return find_spec(RUNTIME) is not None


async def _read(url: Any, context: Context, where: str = "") -> str:
    if not isinstance(url, str):
        message = f"{where}'{IMAGE_IN}' takes the URL of an image, not {kind_of(url)}"
        raise NodeFailed("invalid_value", message)
    return await context.read_image(await context.fetch_media(url))
