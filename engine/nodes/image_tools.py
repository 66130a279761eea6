"""Image Tools: resize, crop, compose, caption and convert images in a child process."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.media.formats import MAX_PIXELS
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import longest_list, unknown_list, zip_lists
from engine.nodes.support.image_edits import (
    CAPTION_ANCHORS,
    Anchor,
    Caption,
    Compose,
    Convert,
    Crop,
    Edit,
    Fit,
    Resize,
)
from engine.nodes.support.image_settings import (
    BACKGROUND,
    FORMAT,
    FORMAT_WORDS,
    QUALITY,
    SAVING,
    color,
    offset,
    ratio,
    read_saving,
    side,
)
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.settings import Faults, choice, number, read_all, template
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, placeholder_names, to_text

IMAGE_IN, OVERLAY_IN, TEXT_IN, IMAGE_OUT = "image-in", "overlay-in", "text-in", "image-out"
IMAGES_AT_ONCE = 2
MAX_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class ImageJob:
    """Edit that makes one image, and the URLs of its sources."""

    edit: Edit
    urls: tuple[str, ...]


class ImageTool(NodeType):
    """Makes an image from an image; a wired list makes a list of images."""

    category = "Image Tools"
    kind = WorkKind.CPU
    media: tuple[str, ...] = (IMAGE_IN,)
    """Input sockets of images."""

    @abstractmethod
    def read(self, data: Mapping[str, Any], faults: Faults) -> Any: ...

    def inputs(self, settings: Any) -> Mapping[str, Socket]:
        return self.needs({})

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        return dict.fromkeys(self.media, Socket(type=SocketType.IMAGE, required=True))

    def outputs(self, settings: Any) -> Mapping[str, Socket]:
        return {IMAGE_OUT: Socket(type=SocketType.IMAGE)}

    def build_edit(self, settings: Any, inputs: Mapping[str, Any], item: Mapping[str, Any]) -> Edit:
        """Return the edit of one item. Raises NodeFailed."""
        edit: Edit = settings
        return edit

    def estimate_outputs(
        self, settings: Any, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return {
            IMAGE_OUT: unknown_list(
                longest_list(inputs.get(name) for name in (*self.media, TEXT_IN))
            )
        }

    async def run(self, settings: Any, inputs: Mapping[str, Any], context: Context) -> Outputs:
        wired = {name: inputs[name] for name in (*self.media, TEXT_IN) if name in inputs}
        lists = {name: value for name, value in wired.items() if isinstance(value, list)}
        if not lists:
            [image] = await _make([self._job(settings, inputs, wired)], context)
            return {IMAGE_OUT: image}
        items = zip_lists(lists, {name: name for name in lists})
        single = {name: value for name, value in wired.items() if name not in lists}
        jobs = [
            self._job(settings, inputs, single | item, f"Item {number}: ")
            for number, item in enumerate(items, 1)
        ]
        return {IMAGE_OUT: await _make(jobs, context)}

    def _job(
        self,
        settings: Any,
        inputs: Mapping[str, Any],
        item: Mapping[str, Any],
        where: str = "",
    ) -> ImageJob:
        for name in self.media:
            if not isinstance(item.get(name), str):
                found = kind_of(item.get(name))
                message = f"{where}'{name}' takes the URL of an image, not {found}"
                raise NodeFailed("invalid_value", message)
        edit = self.build_edit(settings, inputs, item)
        return ImageJob(edit, tuple(item[name] for name in self.media))


class ImageResize(ImageTool):
    """Resizes an image to a width, a height or both."""

    type = "imageResize"
    label = "Resize Image"
    description = "Resizes an image to a width, a height or both."
    members = (
        side("width", "Width in pixels; without it, it follows from the height."),
        side("height", "Height in pixels; without it, it follows from the width."),
        choice("fit", "Fit of the image if both are set.", tuple(Fit), default=Fit.CONTAIN),
        *SAVING,
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> Edit:
        given = read_all(self.members, data, faults)
        width, height = given["width"], given["height"]
        if data.get("width") is None and data.get("height") is None:
            faults.add_rule("width or height must be there", "width")
        if width and height and width * height > MAX_PIXELS:
            faults.add_rule(f"width and height make over {MAX_PIXELS} pixels", "width")
        return Resize(width=width, height=height, fit=given["fit"], saving=read_saving(given))


class ImageCrop(ImageTool):
    """Crops an image to the largest area of an aspect ratio, or to an area of a size."""

    type = "imageCrop"
    label = "Crop Image"
    description = "Crops an image to an aspect ratio or to a size."
    members = (
        side("width", "Width of the part in pixels."),
        side("height", "Height of the part in pixels."),
        offset("x", "Distance of the part from the left, in pixels."),
        offset("y", "Distance of the part from the top, in pixels."),
        ratio("aspectRatio", "Aspect ratio of the part, such as 16:9."),
        choice("anchor", "Place of the part.", tuple(Anchor), default=Anchor.CENTER),
        *SAVING,
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> Edit:
        given = read_all(self.members[:4], data, faults)
        width, height, left, top = (given[name] for name in ("width", "height", "x", "y"))
        sized = _has_both(data, faults, "width", "height")
        placed = _has_both(data, faults, "x", "y")
        if (data.get("aspectRatio") is not None) == sized or (placed and not sized):
            faults.add_rule(
                "there must be aspectRatio, or width and height, and with these may be x and y"
            )
        given |= read_all(self.members[4:], data, faults)
        return Crop(
            ratio=given["aspectRatio"],
            size=(width, height) if width and height else None,
            corner=None if left is None or top is None else (left, top),
            anchor=given["anchor"],
            saving=read_saving(given),
        )


def _has_both(data: Mapping[str, Any], faults: Faults, first: str, second: str) -> bool:
    """Return True if both members exist; add a fault if only one does."""
    found = [data.get(name) is not None for name in (first, second)]
    if any(found) and not all(found):
        faults.add_rule(f"{first} and {second} go together", second if found[0] else first)
    return all(found)


class ImageCompose(ImageTool):
    """Overlays another image."""

    type = "imageCompose"
    media = (IMAGE_IN, OVERLAY_IN)
    label = "Compose Images"
    description = "Overlays an image with another one."
    members = (
        choice("anchor", "Place of the overlay.", tuple(Anchor), default=Compose().anchor),
        number("scale", "Width of the overlay, as a share.", 0.01, 1, default=Compose().scale),
        number("margin", "Distance from the edge, as a share.", 0, 0.5, default=Compose().margin),
        number("opacity", "Opacity of the overlay.", 0, 1, default=Compose().opacity),
        *SAVING,
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> Edit:
        given = read_all(self.members, data, faults)
        own = {name: given[name] for name in ("anchor", "scale", "margin", "opacity")}
        return Compose(**own, saving=read_saving(given))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionSettings:
    """Style of a caption, and its typed text."""

    edit: Caption
    text: Template


class ImageCaption(ImageTool):
    """Draws a text on an image: the typed template, or the value at `text-in`."""

    type = "imageCaption"
    label = "Caption Image"
    description = "Draws a text on an image."
    is_dynamic = True
    members = (
        template("text", "The text; a wire at text-in takes its place.", {IMAGE_IN, TEXT_IN}),
        choice("anchor", "Place of the text.", CAPTION_ANCHORS, default=Caption().anchor),
        number("size", "Height of letters, in percent.", 1, 50, default=Caption().size),
        color("color", "Color of the letters.", Caption().color),
        color("background", "Color of the band behind them.", Caption().background),
        FORMAT,
        QUALITY,
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> CaptionSettings:
        given = read_all(self.members, data, faults)
        own = {name: given[name] for name in ("anchor", "size", "color", "background")}
        saving = read_saving({**given, "background": None})
        return CaptionSettings(edit=Caption(**own, saving=saving), text=given["text"])

    def inputs(self, settings: CaptionSettings) -> Mapping[str, Socket]:
        text = Socket(type=SocketType.TEXT, required=not settings.text.parts)
        placeholder = Socket(type=SocketType.ANY, required=True)
        own = {**super().inputs(settings), TEXT_IN: text}
        return own | dict.fromkeys(placeholder_names([settings.text]), placeholder)

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        text = {} if data.get("text") else {TEXT_IN: Socket(type=SocketType.TEXT, required=True)}
        return {**super().needs(data), **text}

    def build_edit(
        self, settings: CaptionSettings, inputs: Mapping[str, Any], item: Mapping[str, Any]
    ) -> Edit:
        wired = item.get(TEXT_IN)
        text = settings.text.render(inputs) if wired is None else to_text(wired)
        if len(text) > MAX_TEXT:
            message = f"A caption has at most {MAX_TEXT} characters, not {len(text)}"
            raise NodeFailed("invalid_value", message)
        return replace(settings.edit, text=text)


class ImageConvert(ImageTool):
    """Converts an image to another format."""

    type = "imageConvert"
    label = "Convert Image"
    description = "Converts an image to another format."
    members = (
        replace(FORMAT, about="Format of the new image.", is_required=True, missing=FORMAT_WORDS),
        QUALITY,
        BACKGROUND,
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> Edit:
        return Convert(saving=read_saving(read_all(self.members, data, faults)))


IMAGE_TOOLS = (ImageResize(), ImageCrop(), ImageCompose(), ImageCaption(), ImageConvert())


async def _make(jobs: Sequence[ImageJob], context: Context) -> list[str]:
    """Run the jobs; return the URLs of their images in order."""
    common = set(jobs[0].urls).intersection(*(job.urls for job in jobs)) if jobs else set()
    known = {url: await context.fetch_media(url) for url in sorted(common)}

    async def work(_: int, job: ImageJob) -> str:
        sources = [
            known[url] if url in known else await context.fetch_media(url) for url in job.urls
        ]
        image = await context.edit_image(job.edit, sources)
        return await context.keep_media(image.data, image.content_type)

    return await run_each(work, jobs, IMAGES_AT_ONCE)
