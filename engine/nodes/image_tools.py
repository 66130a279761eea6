"""Image Tools: resize, crop, compose, caption and convert images in a child process."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors.nodes import NodeFailed
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
    ImageFormat,
    Resize,
)
from engine.nodes.support.image_settings import SettingsReader
from engine.nodes.support.list_mapping import run_each
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, to_text

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
    def read(self, reader: SettingsReader) -> Any:
        """Return the settings; faults are added to the reader."""

    def parse(self, data: Mapping[str, Any]) -> Any:
        reader = SettingsReader(data)
        settings = self.read(reader)
        reader.finish()
        return settings

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

    def read(self, reader: SettingsReader) -> Edit:
        width, height = reader.side("width"), reader.side("height")
        if not reader.has("width") and not reader.has("height"):
            reader.reasons.append("width or height must be there")
        reader.check_area(width, height)
        fit = reader.choice("fit", tuple(Fit)) or Fit.CONTAIN
        return Resize(width=width, height=height, fit=fit, saving=reader.saving())


class ImageCrop(ImageTool):
    """Crops an image to the largest area of an aspect ratio, or to an area of a size."""

    type = "imageCrop"

    def read(self, reader: SettingsReader) -> Edit:
        width, height = reader.side("width"), reader.side("height")
        left, top = reader.offset("x"), reader.offset("y")
        sized, placed = reader.has_all("width", "height"), reader.has_all("x", "y")
        if reader.has("aspectRatio") == sized or (placed and not sized):
            reader.reasons.append(
                "there must be aspectRatio, or width and height, and with these may be x and y"
            )
        return Crop(
            ratio=reader.ratio("aspectRatio"),
            size=(width, height) if width and height else None,
            corner=None if left is None or top is None else (left, top),
            anchor=reader.choice("anchor", tuple(Anchor)) or Anchor.CENTER,
            saving=reader.saving(),
        )


class ImageCompose(ImageTool):
    """Overlays another image."""

    type = "imageCompose"
    media = (IMAGE_IN, OVERLAY_IN)

    def read(self, reader: SettingsReader) -> Edit:
        usual = Compose()
        return Compose(
            anchor=reader.choice("anchor", tuple(Anchor)) or usual.anchor,
            scale=reader.number("scale", usual.scale, 0.01, 1),
            margin=reader.number("margin", usual.margin, 0, 0.5),
            opacity=reader.number("opacity", usual.opacity, 0, 1),
            saving=reader.saving(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionSettings:
    """Style of a caption, and its typed text."""

    edit: Caption
    text: Template


class ImageCaption(ImageTool):
    """Draws a text on an image: the typed template, or the value at `text-in`."""

    type = "imageCaption"

    def read(self, reader: SettingsReader) -> CaptionSettings:
        text = reader.template("text", {IMAGE_IN, TEXT_IN})
        usual = Caption()
        edit = Caption(
            anchor=reader.choice("anchor", CAPTION_ANCHORS) or usual.anchor,
            size=reader.number("size", usual.size, 1, 50),
            color=reader.color("color", usual.color),
            background=reader.color("background", usual.background),
            saving=reader.saving(has_background=False),
        )
        return CaptionSettings(edit=edit, text=text)

    def inputs(self, settings: CaptionSettings) -> Mapping[str, Socket]:
        text = Socket(type=SocketType.TEXT, required=not settings.text.parts)
        placeholder = Socket(type=SocketType.ANY, required=True)
        own = {**super().inputs(settings), TEXT_IN: text}
        return own | dict.fromkeys(sorted(settings.text.names), placeholder)

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

    def read(self, reader: SettingsReader) -> Edit:
        if not reader.has("format"):
            reader.reasons.append(f"format must be one of {', '.join(ImageFormat)}")
        return Convert(saving=reader.saving())


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
