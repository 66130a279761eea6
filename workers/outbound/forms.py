"""Forms with texts and files, as `multipart/form-data`."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from engine.errors.nodes import NodeFailed
from engine.values.templates import to_text

NAME = re.compile(r"[\w.-]{1,100}(\[\])?", re.ASCII)
"""Names that all servers read in the same way."""
ENDINGS = {"audio/mpeg": "mp3", "audio/mp4": "m4a"}
"""Endings of file names that differ from the subtype; providers of speech go by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """A part with bytes; its file name is derived from its content type."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Fields of a form: texts as they are, other values as JSON, then files."""

    fields: Mapping[str, Any]
    files: Sequence[FormFile]

    async def pack(self) -> tuple[str, bytes]:
        """Return the content type, with an unpredictable boundary, and the body.

        Raises NodeFailed for an invalid name, UnicodeEncodeError for an unpaired surrogate.
        """
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in self.fields.items():
            text = to_text(value)
            text.encode()  # raises an error that callers can distinguish
            form.add_field(_checked(name), text)
        for number, file in enumerate(self.files, 1):
            form.add_field(
                _checked(file.name),
                io.BytesIO(file.data),
                content_type=file.content_type,
                filename=f"{number}.{_ending(file.content_type)}",
            )
        packed = form()
        return packed.content_type, await packed.as_bytes()


def _ending(content_type: str) -> str:
    return ENDINGS.get(content_type) or content_type.partition("/")[2]


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise NodeFailed("invalid_value", "The model's manifest names a part of a form wrongly")
    return name
