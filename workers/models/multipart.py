"""Forms with texts and files, as `multipart/form-data`."""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.expressions import to_text
from engine.nodes.base import NodeFailed

NAME = re.compile(r"[\w.-]{1,100}(\[\])?", re.ASCII)
"""What a part may be called: nothing that has to be escaped."""
BOUNDARY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A part with bytes; its file name is made of its content type."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form is filled in with: texts as they are, other values as JSON, then files."""

    fields: Mapping[str, Any]
    files: Sequence[File]

    def pack(self) -> tuple[str, bytes]:
        """The content type, with a boundary that nobody can know before, and the body.

        Raises NodeFailed for a name that is none, UnicodeEncodeError for an unpaired surrogate.
        """
        boundary = secrets.token_hex(BOUNDARY_BYTES)
        pieces: list[bytes] = []
        for head, data in self._parts():
            pieces += (f"--{boundary}\r\n{head}\r\n\r\n".encode(), data, b"\r\n")
        pieces.append(f"--{boundary}--\r\n".encode())
        return f"multipart/form-data; boundary={boundary}", b"".join(pieces)

    def _parts(self) -> Iterator[tuple[str, bytes]]:
        for name, value in self.fields.items():
            yield _disposition(name), to_text(value).encode()
        for number, file in enumerate(self.files, 1):
            ending = file.content_type.partition("/")[2]
            filename = f'; filename="{number}.{ending}"'
            head = f"{_disposition(file.name)}{filename}\r\nContent-Type: {file.content_type}"
            yield head, file.data


def _disposition(name: str) -> str:
    if not NAME.fullmatch(name):
        raise NodeFailed("invalid_value", "The model's manifest names a part of a form wrongly")
    return f'Content-Disposition: form-data; name="{name}"'
