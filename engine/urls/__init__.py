"""What may be called from here: URLs, addresses and headers; pure policy, no look-ups."""

from engine.urls.addresses import Address, is_metadata, is_public, parse_address
from engine.urls.headers import header_fault
from engine.urls.parsing import MISLEADING, PORTS, URL_REST, Target, UrlRefused, check_url

__all__ = [
    "MISLEADING",
    "PORTS",
    "URL_REST",
    "Address",
    "Target",
    "UrlRefused",
    "check_url",
    "header_fault",
    "is_metadata",
    "is_public",
    "parse_address",
]
