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
"""What a part may be called: nothing that servers read in different ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """A part with bytes; its file name is made of its content type."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form is filled in with: texts as they are, other values as JSON, then files."""

    fields: Mapping[str, Any]
    files: Sequence[FormFile]

    async def pack(self) -> tuple[str, bytes]:
        """The content type, with a boundary that nobody can know before, and the body.

        Raises NodeFailed for a name that is none, UnicodeEncodeError for an unpaired surrogate.
        """
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in self.fields.items():
            text = to_text(value)
            text.encode()  # which fails in words that can be told apart
            form.add_field(_checked(name), text)
        for number, file in enumerate(self.files, 1):
            form.add_field(
                _checked(file.name),
                io.BytesIO(file.data),
                content_type=file.content_type,
                filename=f"{number}.{file.content_type.partition('/')[2]}",
            )
        packed = form()
        return packed.content_type, await packed.as_bytes()


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise NodeFailed("invalid_value", "The model's manifest names a part of a form wrongly")
    return name
