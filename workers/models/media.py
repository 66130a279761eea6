"""Pictures, videos and sounds as providers give them, made into the URLs that sockets carry."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from engine.fields import MAX_URL, URL_REST
from workers.models.base import Keeper
from workers.models.failing import bad_response

URL = re.compile("https?" + URL_REST)
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,", re.ASCII)


async def keep_url(value: Any, keeper: Keeper) -> str:
    """A URL that a provider gave, checked; one that holds its data is kept. Raises NodeFailed."""
    if not isinstance(value, str):
        raise bad_response("has no URL where its medium should be")
    held = DATA_URL.match(value)
    if held is not None:
        return await keep_base64(value[held.end() :], held[1], keeper)
    if len(value) > MAX_URL or not URL.fullmatch(value):
        raise bad_response("has no URL where its medium should be")
    return value


async def keep_base64(value: Any, content_type: str, keeper: Keeper) -> str:
    """The URL of data that came as base64. Raises NodeFailed."""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise bad_response("has no base64 where its medium should be") from None
    if not data:
        raise bad_response("has an empty medium")
    return await keeper.keep(data, content_type)


def one_or_all(urls: Sequence[str]) -> str | list[str]:
    """One medium by itself, several as a list."""
    return urls[0] if len(urls) == 1 else list(urls)
