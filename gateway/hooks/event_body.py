"""Body of an inbound event: JSON, a form, or a text."""

import logging
from collections.abc import Iterable
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError

from engine.errors import InvalidBody
from gateway.http.json_bodies import ANY, NO_OBJECT, check_count, check_values, parse_json

FORM_URLENCODED = "application/x-www-form-urlencoded"
FORM_DATA = "multipart/form-data"
MAX_FIELDS = 1_000
MAX_PART_HEADERS = 8
MAX_PART_HEADER_BYTES = 4_096
TOO_MANY_FIELDS = f"The form has more than {MAX_FIELDS:,} fields"
HUGE_NUMBER = "The body has a number that is too large"
"""A number is all that the decoder refuses in JSON whose type is free."""
NO_FORM = "The form is not well-formed"

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each malformed form


def parse_event_body(content_type: str, data: bytes) -> Any:
    """Return the value of a body: of JSON, of a form an object, else a text.

    A body without a type counts as JSON if it is JSON. A field that a form repeats is a list of
    texts. Raises InvalidBody.
    """
    kind, boundary = _media_type(content_type)
    if kind == "application/json" or kind.endswith("+json"):
        return _parse_json(data)
    if kind == FORM_URLENCODED:
        return group_pairs(_parse_urlencoded(data))
    if kind == FORM_DATA:
        return group_pairs(_parse_multipart(boundary, data))
    if not kind:
        try:
            return _parse_json(data)
        except InvalidBody:
            return _text(data)
    return _text(data)


def group_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return values by name; a name with several has a list of them."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _media_type(content_type: str) -> tuple[str, str]:
    """Return the type in lower case without parameters, and its boundary."""
    if not content_type.strip():
        return "", ""
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_param("boundary", "")
    return content_type.partition(";")[0].strip().lower(), str(boundary)


def _parse_json(data: bytes) -> Any:
    check_count(data)
    try:
        value = parse_json(data, ANY)
    except InvalidBody as error:
        raise InvalidBody(HUGE_NUMBER) if error.message == NO_OBJECT else error from None
    check_values({"body": value} if not isinstance(value, dict) else value)
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidBody("The body is not UTF-8") from None


def _parse_urlencoded(data: bytes) -> list[tuple[str, str]]:
    if data.count(b"&") >= MAX_FIELDS:
        raise InvalidBody(TOO_MANY_FIELDS)
    try:
        return parse_qsl(_text(data), keep_blank_values=True, errors="strict")
    except ValueError:  # an escape that is not UTF-8
        raise InvalidBody("The form is not UTF-8") from None


def _parse_multipart(boundary: str, data: bytes) -> list[tuple[str, str]]:
    if not boundary.isascii() or not 1 <= len(boundary) <= 70:
        raise InvalidBody("A form must be multipart/form-data with a boundary")
    # The parser takes 0.1 s for 1 MB of delimiters that neither begin nor end a part.
    if data.count(b"--" + boundary.encode()) > MAX_FIELDS + 1:
        raise InvalidBody(TOO_MANY_FIELDS)
    form = _Form()
    parser = MultipartParser(
        boundary.encode(),
        {
            "on_header_field": form.add_to_name,
            "on_header_value": form.add_to_value,
            "on_header_end": form.end_header,
            "on_part_data": form.add_data,
            "on_part_end": form.end_part,
            "on_end": form.end,
        },
        max_header_count=MAX_PART_HEADERS,
        max_header_size=MAX_PART_HEADER_BYTES,
    )
    try:
        parser.write(data)
    except MultipartParseError:
        raise InvalidBody(NO_FORM) from None
    if not form.has_end:
        raise InvalidBody("The form ends before its boundary")
    return form.fields


class _Form:
    """Fields of a form, as the parser finds them; files count by their text."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.has_end = False
        self._header_name = self._header_value = b""
        self._disposition = ""
        self._data: list[bytes] = []

    def add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value.decode("utf-8", "replace")
        self._header_name = self._header_value = b""

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def end_part(self) -> None:
        head = Message()
        head["content-disposition"] = self._disposition.replace("\r", " ").replace("\n", " ")
        name = head.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise InvalidBody("Each part of the form must be a field with a name")
        self.fields.append((name, _text(b"".join(self._data))))
        self._disposition, self._data = "", []

    def end(self) -> None:
        self.has_end = True
