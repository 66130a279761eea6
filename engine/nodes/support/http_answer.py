"""Answers to HTTP requests: conversion to values, stored media and failures."""

import contextlib
import re
from typing import Any

import msgspec

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.media.documents.types import TEXTS
from engine.media.formats import (
    ANY_TYPE,
    HEAD_BYTES,
    TYPES,
    UNTYPED,
    UnfitMedia,
    declared_type,
)
from engine.media.headers import read_facts
from engine.media.inspector import inspect_whole
from engine.nodes.support.base import Context, HttpAnswer
from engine.values.plain import fault

RETRYABLE = frozenset({408, 425, 429})
SHOWN_BYTES = 2_048
"""Length of a failed answer's body in the error of the node."""
JSON_TYPE = re.compile(r"(?:application|text)/(?:[\w.!#$&^-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
CHARSET = re.compile(r"charset\s*=\s*\"?([\w-]+)", re.IGNORECASE)
CHARSETS = frozenset({"us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"})
"""Supported charsets besides UTF-8."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_answer(answer: HttpAnswer) -> Any:
    """Return the body as parsed JSON or text. Raises NodeFailed (bad_response)."""
    content_type = answer.headers.get("content-type", "")
    if not JSON_TYPE.match(content_type.strip()):
        return _decode(answer.body, content_type)
    if not answer.body.strip():
        return None
    try:
        value = msgspec.json.decode(answer.body.removeprefix(BYTE_ORDER_MARK))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = "The answer says it is JSON, but it does not parse"
        raise NodeFailed("bad_response", message) from None
    reason = fault(value)
    if reason:
        raise NodeFailed("bad_response", f"The answer {reason}")
    return value


def find_medium(answer: HttpAnswer) -> str | None:
    """Return the content type of an answer that is a medium, or None.

    Without a declared type it is detected from the bytes. A document is one that its bytes fit;
    those of a text are UTF-8.
    """
    declared = declared_type(answer.headers.get("content-type", UNTYPED))
    if declared in TYPES:
        return declared
    if declared in ANY_TYPE:
        with contextlib.suppress(UnfitMedia):
            return read_facts(answer.body[:HEAD_BYTES]).content_type
    with contextlib.suppress(UnfitMedia):
        return inspect_whole(answer.body, declared).content_type
    return None


async def keep_answer(answer: HttpAnswer, content_type: str, context: Context) -> str:
    """Store a medium as an asset of the account; return its URL.

    Raises NodeFailed, and FilesMustWait for a document while it cannot be stored.
    """
    try:
        return await context.keep_media(answer.body, content_type)
    except NodeFailed as failure:
        if failure.code != BAD_RESPONSE:
            raise
        message = f"The answer is {content_type} that cannot be kept as an asset"
        raise NodeFailed("bad_response", f"{message}: {failure.message}") from None


def refused(answer: HttpAnswer, secrets: OpenedSecrets) -> NodeFailed:
    """Return the failure for a status of 400 or more, with the start of the redacted body."""
    status = answer.status
    is_retryable = status in RETRYABLE or 500 <= status <= 599
    shown = _show(answer, secrets)
    message = f"The server answered {status}" + (f": {shown}" if shown else "")
    return NodeFailed("http_status", message, retryable=is_retryable)


def _show(answer: HttpAnswer, secrets: OpenedSecrets) -> str:
    """Return the start of a textual body without secrets, or an empty text."""
    content_type = answer.headers.get("content-type", "")
    if find_medium(answer) not in (None, *TEXTS):
        return ""
    # A secret across the end of the excerpt is found in the whole body only.
    body = answer.body if secrets.values else answer.body[:SHOWN_BYTES]
    text = secrets.redact_text(_decode(body, content_type))
    if len(answer.body) > SHOWN_BYTES:
        text = text[:SHOWN_BYTES].rstrip("\ufffd") + "…"
    return "" if UNPRINTABLE.search(text) else text.strip()


def _decode(body: bytes, content_type: str) -> str:
    match = CHARSET.search(content_type)
    if match and (charset := match[1].lower()) in CHARSETS:
        return body.decode(charset, "replace")
    return body.removeprefix(BYTE_ORDER_MARK).decode(errors="replace")
