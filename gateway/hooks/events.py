"""Inbound events: the values that expressions see of a request, and the id of the event."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from engine.ids import api_keys
from engine.store import HookEvent
from engine.triggers.trigger import Verify, VerifyKind
from gateway.hooks.event_body import group_pairs, parse_event_body
from gateway.hooks.verification import STANDARD_ID, Headers, read_headers

HIDDEN_HEADERS = frozenset({"authorization", "cookie"})
"""Headers that neither expressions nor occurrences see, beside those that verification reads."""
OWN_KEY = "x-api-key"
"""Header of keys of this installation, which a caller may send by mistake."""
SECRETIVE = re.compile(
    r"api-?key|auth|cookie|credential|passw|secret|session|signature|token", re.IGNORECASE
)
"""Parts of names of headers that may carry secrets: expressions see these, records do not."""
GITHUB_ID = "x-github-delivery"
STRIPE_PREFIX = "evt_"
MAX_QUERY_FIELDS = 1_000


def parse_event(verify: Verify, headers: Headers, query: bytes, data: bytes) -> HookEvent:
    """Return the event in a request. Raises InvalidBody."""
    visible = visible_headers(verify, headers)
    pairs = parse_qsl(
        query.decode("latin-1"), keep_blank_values=True, errors="replace", separator="&"
    )
    return HookEvent(
        body=parse_event_body(visible.get("content-type", ""), data),
        headers=visible,
        query=group_pairs(pairs[:MAX_QUERY_FIELDS]),
    )


def sample_event(verify: Verify, body: Any, headers: Mapping[str, str]) -> HookEvent:
    """Return the event that a request with these headers and this parsed body would be."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return HookEvent(body=body, headers=_shown(verify, lowered), query={})


def recorded_event(event: HookEvent) -> HookEvent:
    """Return an event as it is recorded: without its query, and headers that may carry secrets."""
    shown = {name: value for name, value in event.headers.items() if not SECRETIVE.search(name)}
    return replace(event, headers=shown, query={})


def visible_headers(verify: Verify, headers: Headers) -> dict[str, str]:
    """Return the headers that may be seen, by names in lower case."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return _shown(verify, found)


def _shown(verify: Verify, headers: Mapping[str, str]) -> dict[str, str]:
    hidden = HIDDEN_HEADERS.union(read_headers(verify))
    shown = {name: value for name, value in headers.items() if name not in hidden}
    if api_keys.PREFIX in shown.get(OWN_KEY, ""):
        del shown[OWN_KEY]
    return shown


def default_event_id(verify: Verify, headers: Headers, body: Any) -> str | None:
    """Return the id that the sender gave to an event, None without one.

    An id that the signature covers precedes those that anyone could add to a copy of the event.
    """
    standard, github = _header(headers, STANDARD_ID), _header(headers, GITHUB_ID)
    stripe = _stripe_id(body, is_verified=verify.kind is VerifyKind.STRIPE)
    match verify.kind:
        case VerifyKind.STRIPE:
            return stripe or standard or github or None
        case VerifyKind.GITHUB:
            return github or standard or None
        case _:
            return standard or github or stripe or None


def _header(headers: Iterable[tuple[bytes, bytes]], name: str) -> str:
    key = name.encode()
    found = [value.decode("latin-1") for each, value in headers if each.lower() == key]
    return found[0] if len(found) == 1 else ""


def _stripe_id(body: Any, *, is_verified: bool) -> str:
    """Return the id of an event of Stripe, else an empty text.

    What Stripe has signed is an event, whatever its `object`: thin events have another one.
    """
    if not isinstance(body, Mapping) or not (is_verified or body.get("object") == "event"):
        return ""
    found = body.get("id")
    return found if isinstance(found, str) and found.startswith(STRIPE_PREFIX) else ""


def slack_challenge(verify: Verify, body: Any) -> str | None:
    """Return the challenge of a request by which Slack asks for the owner of a URL, else None."""
    if verify.kind is not VerifyKind.SLACK or not isinstance(body, Mapping):
        return None
    challenge = body.get("challenge")
    is_question = body.get("type") == "url_verification" and isinstance(challenge, str)
    return challenge if is_question else None
