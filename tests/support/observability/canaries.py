"""Canaries: values that must be found nowhere, each with the place that it was given to."""

import base64
import secrets
from collections.abc import Iterator


class Canaries:
    """Values with letters in their middle that JSON, URLs and base64 keep."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def make(self, place: str, form: str = "{}") -> str:
        """Return a new value of this form, such as `https://h/?q={}`."""
        middle = secrets.token_hex(12)
        self._places[middle] = place
        return form.format(middle)

    def add(self, place: str, value: str) -> None:
        """Watch for a value that was made elsewhere."""
        self._places[value] = place

    def found_in(self, data: bytes) -> list[str]:
        """Return the places of the values that are found, plain or in base64."""
        return [
            place
            for middle, place in self._places.items()
            if any(form in data for form in (middle.encode(), *_base64_forms(middle)))
        ]


def _base64_forms(text: str) -> Iterator[bytes]:
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + text.encode() + b"xxx")
        yield encoded[4:28]
