"""Headers that the author of a call may set: none of the connection's, none of Headrace's."""

import re

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
"""A token of HTTP, of at most 128 characters."""
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
REFUSED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "headrace-depth",
        "host",
        "http2-settings",
        "keep-alive",
        "metadata",
        "te",
        "trailer",
        "transfer-encoding",
        "true-client-ip",
        "upgrade",
        "via",
        "x-client-ip",
        "x-forwarded",
        "x-google-metadata-request",
        "x-knouds-signature",
        "x-real-ip",
    }
)
REFUSED_PREFIXES = (
    "metadata-",
    "proxy-",
    "sec-",
    "webhook-",
    "x-aliyun-ecs-metadata-",
    "x-aws-ec2-metadata-",
    "x-forwarded-",
)
"""Headers of connections, proxies, metadata services and signatures of Headrace."""


def header_fault(name: str, value: str = "") -> str | None:
    """Return the reason why an author may not set a header, as the end of a sentence, or None."""
    if not NAME.fullmatch(name):
        return "is no valid name of a header"
    lower = name.lower()
    if lower in REFUSED or lower.startswith(REFUSED_PREFIXES):
        return "cannot be set here"
    if CONTROL.search(value):
        return "has a line break or another control character"
    return None
