"""An upload as it comes in: the raw bytes with their type, or the one file of a form."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from engine.errors import InvalidBody, UnsupportedMediaType
from engine.media.formats import declared_type
from gateway.middleware import BodyLimit

FORM = re.compile(r'multipart/form-data\s*;\s*boundary=("?)([^\s";,]{1,70})\1\s*', re.IGNORECASE)
FIELD = "file"
MAX_PART_HEAD = 4_096
MAX_REST = 1_024
"""Bytes behind the end of the form."""
UNTYPED = "application/octet-stream"
UNMEANT = "application/x-www-form-urlencoded"
"""What clients say who were not told."""
NO_TYPE = (
    "An upload needs one Content-Type header that says what it is, such as 'image/png', or "
    f"'{UNTYPED}' when nobody knows"
)
FRAMING_BYTES = 8_192
"""What a form adds to its file."""
UPLOAD_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A file under way, with the type that it is declared to have."""

    declared: str
    pieces: AsyncIterator[bytes]


def upload_limit(max_asset_bytes: int) -> BodyLimit:
    """The limit of a body that brings a file of so many bytes."""
    return BodyLimit(max_asset_bytes + FRAMING_BYTES, UPLOAD_SECONDS, FRAMING_BYTES)


async def read_upload(scope: Scope, receive: Receive) -> Upload:
    """The file that a request brings. Raises UnsupportedMediaType, InvalidBody, BodyTooLarge or
    ClientDisconnect, now or while the pieces are read."""
    types = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"]
    if len(types) != 1 or types[0].lower().startswith(UNMEANT):
        raise UnsupportedMediaType(NO_TYPE)
    if not types[0].lower().startswith("multipart/"):
        return Upload(declared_type(types[0]), _pieces(receive))
    form = FORM.fullmatch(types[0].strip())
    if form is None:
        raise InvalidBody("A form must be multipart/form-data with a boundary")
    return await _Form(f"--{form[2]}".encode("latin-1"), _pieces(receive)).begin()


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if body := message.get("body", b""):
            yield body
        more = message.get("more_body", False)


class _Form:
    """A form with one part, read as it comes; never more than a piece and a bit is held."""

    def __init__(self, delimiter: bytes, pieces: AsyncIterator[bytes]) -> None:
        self._delimiter = delimiter
        self._pieces = pieces
        self._held = b""

    async def begin(self) -> Upload:
        """The file of the part, once its head has come. Raises InvalidBody."""
        await self._hold(len(self._delimiter) + 2)
        if not self._held.startswith(self._delimiter + b"\r\n"):
            raise InvalidBody("The form does not begin with its boundary")
        self._held = self._held[len(self._delimiter) :]
        while b"\r\n\r\n" not in self._held:
            if len(self._held) > MAX_PART_HEAD or not await self._hold(len(self._held) + 1):
                raise InvalidBody("The form's part has no end of its head, or a very long one")
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        return Upload(_part_type(head), self._content())

    async def _hold(self, size: int) -> bool:
        """Whether so many bytes are there, with those that come."""
        while len(self._held) < size:
            piece = await anext(self._pieces, b"")
            if not piece:
                return False
            self._held += piece
        return True

    async def _content(self) -> AsyncIterator[bytes]:
        end = b"\r\n" + self._delimiter
        while (at := self._held.find(end)) < 0:
            ready = self._held[: 1 - len(end)]
            self._held = self._held[len(ready) :]
            if ready:
                yield ready
            if not await self._hold(len(self._held) + 1):
                raise InvalidBody("The form ends before its boundary")
        if at:
            yield self._held[:at]
        self._held = self._held[at + len(end) :]
        await self._check_end()

    async def _check_end(self) -> None:
        await self._hold(MAX_REST)
        if not self._held.startswith(b"--"):
            raise InvalidBody("The form must have one part, the file", field="file")
        if self._held[2:].strip(b"\r\n"):
            raise InvalidBody("Something comes behind the end of the form")


def _part_type(head: bytes) -> str:
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    named = [(name.strip().lower(), value.strip().decode("latin-1")) for name, _, value in lines]
    fields = [value for name, value in named if name == b"content-disposition"]
    if len(fields) != 1 or not _is_file(fields[0]):
        raise InvalidBody("The form's part must be the field 'file'", field="file")
    types = [value for name, value in named if name == b"content-type"]
    return declared_type(types[0] if len(types) == 1 else UNTYPED)


def _is_file(disposition: str) -> bool:
    head = Message()
    head["content-disposition"] = disposition
    parameters = head.get_params([], "content-disposition")
    names = [value for name, value in parameters if name.lower() == "name"]
    return head.get_content_disposition() == "form-data" and names == [FIELD]
