"""Uploads, read as a stream: raw bytes with their type, or the one file of a form."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from engine.errors import InvalidBody, UnsupportedMediaType
from engine.media.formats import UNTYPED, declared_type
from gateway.admission.credentials import header_values
from gateway.http.middleware import BodyLimit

FORM = re.compile(r'multipart/form-data\s*;\s*boundary=("?)([^\s";,]{1,70})\1\s*', re.IGNORECASE)
FIELD = "file"
MAX_HEADER_BYTES = 4_096
MAX_HEADERS = 8
ONE_PART = "The form must have one part, the file"
FORM_URLENCODED = "application/x-www-form-urlencoded"
"""Default Content-Type of clients that were given none."""
NO_TYPE = (
    "An upload needs one Content-Type header that says what it is, such as 'image/png', or "
    f"'{UNTYPED}' when nobody knows"
)
FRAMING_BYTES = 8_192
"""Most bytes that a form adds to its file."""
UPLOAD_SECONDS = 600.0

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each malformed form


@dataclass(frozen=True, slots=True)
class IncomingUpload:
    """A file that is still arriving, with its declared type."""

    declared: str
    pieces: AsyncIterator[bytes]
    file_name: str = ""
    """Name that a form gives it."""


def upload_limit(max_asset_bytes: int) -> BodyLimit:
    """Return the limit of a body that carries a file of `max_asset_bytes`."""
    return BodyLimit(max_asset_bytes + FRAMING_BYTES, UPLOAD_SECONDS, FRAMING_BYTES)


async def read_upload(scope: Scope, receive: Receive) -> IncomingUpload:
    """Return the file in a request.

    Raises UnsupportedMediaType, InvalidBody, BodyTooLarge or ClientDisconnect, now or while the
    pieces are read.
    """
    types = header_values(scope, b"content-type")
    if len(types) != 1 or types[0].lower().startswith(FORM_URLENCODED):
        raise UnsupportedMediaType(NO_TYPE)
    if not types[0].lower().startswith("multipart/"):
        return IncomingUpload(declared_type(types[0]), _pieces(receive))
    form = FORM.fullmatch(types[0].strip())
    if form is None:
        raise InvalidBody("A form must be multipart/form-data with a boundary")
    return await _Form(form[2].encode("latin-1"), _pieces(receive)).begin()


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
    """A form with one part, parsed as it arrives; about one piece is in memory at a time."""

    def __init__(self, boundary: bytes, pieces: AsyncIterator[bytes]) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._pieces = pieces
        self._parts = self._delimiters = 0
        self._has_head = self._has_end = False
        self._name = self._value = b""
        self._head: list[tuple[bytes, bytes]] = []
        self._ready: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_to_name,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_head,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
            max_header_count=MAX_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )

    async def begin(self) -> IncomingUpload:
        """Return the file of the part, once its head has arrived. Raises InvalidBody."""
        while not self._has_head:
            if not await self._parse_piece():
                raise InvalidBody("The form ends before its file", field=FIELD)
        declared, file_name = _read_head(self._head)
        return IncomingUpload(declared, self._content(), file_name)

    async def _content(self) -> AsyncIterator[bytes]:
        has_more = True
        while has_more:
            for data in self._ready:
                yield data
            self._ready.clear()
            has_more = await self._parse_piece()
        if not self._has_end:
            raise InvalidBody("The form ends before its boundary")

    async def _parse_piece(self) -> bool:
        """Parse the next piece; return False after the last one. Raises InvalidBody."""
        piece = await anext(self._pieces, b"")
        # The parser takes 0.1 s for 1 MB of delimiters that neither begin nor end a part.
        self._delimiters += piece.count(self._delimiter)
        if self._delimiters > 1:
            raise InvalidBody(ONE_PART, field=FIELD)
        try:
            self._parser.write(piece)
        except MultipartParseError:
            raise InvalidBody("The form is not well-formed") from None
        return bool(piece)

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise InvalidBody(ONE_PART, field=FIELD)

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._head.append((self._name.lower(), self._value))
        self._name = self._value = b""

    def _end_head(self) -> None:
        self._has_head = True

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._ready.append(data[start:end])

    def _end(self) -> None:
        self._has_end = True


def _read_head(head: list[tuple[bytes, bytes]]) -> tuple[str, str]:
    """Return the declared type and the file's name. Raises InvalidBody."""
    named = [(name, value.strip().decode("latin-1")) for name, value in head]
    fields = [value for name, value in named if name == b"content-disposition"]
    disposition = Message()
    disposition["content-disposition"] = fields[0] if fields else ""
    if len(fields) != 1 or not _is_file(disposition):
        raise InvalidBody("The form's part must be the field 'file'", field=FIELD)
    types = [value for name, value in named if name == b"content-type"]
    declared = declared_type(types[0] if len(types) == 1 else UNTYPED)
    return declared, _file_name(disposition)


def _file_name(head: Message) -> str:
    """Return the file's name; empty for none, and for one that cannot be decoded."""
    try:
        return head.get_filename("")
    except ValueError:
        return ""


def _is_file(head: Message) -> bool:
    parameters = head.get_params([], "content-disposition")
    names = [value for name, value in parameters if name.lower() == "name"]
    return head.get_content_disposition() == "form-data" and names == [FIELD]
