"""Forms of OAuth's endpoints, with the credentials of the client in one place.

A client names itself in the form or by HTTP Basic. The library's handlers look for the id in the
form alone, and compare secrets as they are stored, which is by their digest.
"""

import base64
import binascii
from collections import Counter
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.requests import Request
from starlette.types import Message, Scope

from engine.ids import tokens
from gateway.admission.credentials import header_values
from gateway.http.middleware import BodyLimit
from gateway.http.request_bodies import read_bytes
from gateway.services import GatewayRequest

MAX_BYTES = 65_536
BODY_LIMIT = BodyLimit(MAX_BYTES, seconds=30.0)
FORM = "application/x-www-form-urlencoded"
BASIC = "basic "
Form = dict[str, str]


class FormRefused(Exception):
    """The request has no form, or one that can be read in two ways."""


async def read_form(request: GatewayRequest) -> Form:
    """Return the form in the body. Raises FormRefused, BodyTooLarge or ClientDisconnect."""
    types = header_values(request.scope, b"content-type")
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != FORM:
        raise FormRefused(f"The body must be sent as {FORM}")
    try:
        text = (await read_bytes(request, MAX_BYTES)).decode()
    except UnicodeDecodeError:
        raise FormRefused("The body must be UTF-8") from None
    form = parse_once(text)
    _add_credentials(form, header_values(request.scope, b"authorization"))
    return form


def parse_once(text: str) -> Form:
    """Return the members of a form or query. Raises FormRefused when one is repeated."""
    try:
        members = parse_qsl(text, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise FormRefused("There are too many parameters") from None
    repeated = [name for name, times in Counter(name for name, _ in members).items() if times > 1]
    if repeated:
        raise FormRefused("A parameter is sent more than once")
    return dict(members)


def _add_credentials(form: Form, headers: list[str]) -> None:
    """Put the credentials of HTTP Basic into the form, and the digest in place of the secret."""
    secret = form.get("client_secret", "")
    if headers:
        client_id, basic_secret = _read_basic(headers)
        if form.setdefault("client_id", client_id) != client_id or secret:
            raise FormRefused("The client names itself twice")
        secret = basic_secret
    form["client_secret"] = tokens.digest(secret) if secret else ""


def _read_basic(headers: list[str]) -> tuple[str, str]:
    if len(headers) != 1 or not headers[0].lower().startswith(BASIC):
        raise FormRefused("A client names itself in the form or by HTTP Basic")
    try:
        decoded = base64.b64decode(headers[0][len(BASIC) :], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise FormRefused("The header Authorization cannot be read") from None
    client_id, _, secret = decoded.partition(":")
    return unquote(client_id), unquote(secret)


def request_with(scope: Scope, body: bytes, content_type: str) -> Request:
    """Return a request with this body for a handler of the library."""
    headers = [(b"content-type", content_type.encode())]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**scope, "headers": headers}, receive)


def form_request(scope: Scope, form: Form) -> Request:
    """Return a request with this form for a handler of the library."""
    return request_with(scope, urlencode(form).encode(), FORM)
