"""Secrets that are open for one attempt at a node, and their removal from all that leaves it."""

import base64
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from engine.access.secret_hosts import is_sent_to
from engine.errors.nodes import NodeFailed

HIDDEN = "•••"
MIN_FORM = 4
"""Bytes; a shorter text is in many words."""
KEPT_IN_QUERY = "?/:@!$'()*,"
"""Characters that the client of outbound calls does not encode in a query."""
PERCENT = re.compile(r"%[0-9A-F]{2}")
NUMBER = re.compile(r"[0-9.eE+-]+")
ANY_HOST: Mapping[str, Collection[str]] = {}
UNICODE_ESCAPE = re.compile(r"(?<=\\u)[0-9a-f]{4}")


class OpenedSecrets:
    """Values of secrets by name; hides them in their plain, JSON, URL, base64 and hex forms."""

    def __init__(
        self, values: Mapping[str, str], hosts: Mapping[str, Collection[str]] = ANY_HOST
    ) -> None:
        """Open the values; `hosts` are those to which a secret is sent, by name, none: any."""
        self.values = values
        self._hosts = hosts
        self._texts: set[str] = set()
        self._forms: list[str] = []
        self._has_number = False
        """A form is a number, or a part of one."""
        for value in values.values():
            self.hide(value)

    def hide(self, text: str) -> None:
        """Hide a text too, such as a part of a value; one below 4 bytes stays."""
        if text in self._texts:
            return
        self._texts.add(text)
        found = {*self._forms, *_forms(text)}
        # Of forms that begin at one place the longest is replaced.
        self._forms = sorted(found, key=lambda form: (-len(form), form))
        self._has_number = any(map(NUMBER.fullmatch, found))

    def __repr__(self) -> str:
        return f"OpenedSecrets({sorted(self.values)})"

    def check_host(self, host: str) -> None:
        """Raise NodeFailed for a host to which one of the secrets is not sent."""
        for name, hosts in self._hosts.items():
            if not is_sent_to(hosts, host):
                message = f"The secret '{name}' is not sent to {host}, which is none of its hosts"
                raise NodeFailed("secret_kept", message)

    def is_in(self, text: str) -> bool:
        """Return whether a text has a secret in any form."""
        return any(form in text for form in self._forms)

    def is_in_bytes(self, data: bytes) -> bool:
        """Return whether bytes have a secret in any form, as UTF-8."""
        return any(form.encode() in data for form in self._forms)

    def redact_text(self, text: str) -> str:
        """Return the text with each secret replaced."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def redact(self, value: Any) -> Any:
        """Return a plain value with each secret replaced, in texts, numbers and keys."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.redact_text(value)
        if isinstance(value, dict):
            return {self.redact_text(name): self.redact(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.redact(each) for each in value]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        is_found = is_number and self._has_number and self.is_in(json.dumps(value))
        return HIDDEN if is_found else value


NO_SECRETS = OpenedSecrets({})


def _forms(text: str) -> Iterator[str]:
    """Yield the texts in which a secret can come back."""
    for plain in {text, text.strip(), _misread(text), _misread(text.strip())}:
        data = plain.encode()
        listed = (plain, *_json_forms(plain), *_url_forms(plain), *_base64_forms(data))
        if len(data) >= MIN_FORM:
            yield from (form for form in listed if len(form.encode()) >= MIN_FORM)
            yield from (data.hex(), data.hex().upper())


def _misread(text: str) -> str:
    """Return the text as servers know it that read headers as Latin-1."""
    return text.encode().decode("latin-1")


def _json_forms(text: str) -> Iterator[str]:
    for is_ascii in (True, False):
        form = json.dumps(text, ensure_ascii=is_ascii)[1:-1]
        capital = UNICODE_ESCAPE.sub(lambda digits: digits[0].upper(), form)
        yield from (form, capital, form.replace("/", "\\/"), capital.replace("/", "\\/"))


def _url_forms(text: str) -> Iterator[str]:
    for form in (quote(text, safe=""), quote(text, safe=KEPT_IN_QUERY), quote_plus(text)):
        yield form
        yield PERCENT.sub(lambda byte: byte[0].lower(), form)


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield the encoded bytes, and what they are within longer encoded ones."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield from (whole, whole.rstrip("="))
        for before in range(3):
            encoded = encode(bytes(before) + data).decode()
            yield encoded[math.ceil(before * 8 / 6) : (before + len(data)) * 8 // 6]
