"""Versions in headers: ETag in answers, If-Match in requests."""

import re

from starlette.datastructures import Headers

from gateway.http.types import Parameter

TAG = re.compile(r'"[0-9]{1,15}"|[0-9]{1,15}')
TEXT = {"type": "string"}
IF_MATCH: Parameter = (
    "If-Match",
    {**TEXT, "description": "The version that may be replaced, or `*`.", "examples": ['"3"']},
)
IF_MATCH_REVISION: Parameter = (
    "If-Match",
    {
        **TEXT,
        "description": "The revision that may be replaced, `0` for none yet, or `*`.",
        "examples": ['"7"'],
    },
)
IF_NONE_MATCH: Parameter = (
    "If-None-Match",
    {
        **TEXT,
        "description": "The ETag of an earlier answer, which is 304 if nothing has changed.",
    },
)


def entity_tag(version: int) -> dict[str, str]:
    """Return the header with the version of an answer."""
    return {"etag": f'"{version}"'}


def wanted_versions(headers: Headers) -> set[int] | None:
    """Return the versions that If-Match allows to be replaced, or None when it allows any."""
    header = headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    matches = (TAG.fullmatch(tag.strip()) for tag in header.split(","))
    return {int(match.group().strip('"')) for match in matches if match}


def is_known(version: int, headers: Headers) -> bool:
    """Return whether If-None-Match names the version."""
    known = headers.get("if-none-match", "")
    return f'"{version}"' in (tag.strip().removeprefix("W/") for tag in known.split(","))
