"""Capabilities of API keys: parsing, matching, presets and ceilings.

A key has a set of capabilities. `<resource>:*` covers its resource, but for capabilities that are
granted by name; `*` covers everything and belongs to admin accounts only; no other capability
implies another. A capability has two or three parts: `workflow:run` is general,
`workflow:<slug>:run` is for one workflow. The number of parts decides, so a slug such as `run` or
`read` is unambiguous.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from engine.errors import ApiKeyAccessDenied, CapabilityAboveCeiling, InvalidCapability

GENERAL = frozenset(
    {
        "workflow:run",
        "workflow:read",
        "workflow:write",
        "model:run",
        "webhook:receive",
        "execution:read",
        "execution:cancel",
        "execution:approve",
        "agent:invoke",
    }
)
WILDCARDS = frozenset({"workflow:*", "model:*", "webhook:*", "execution:*", "agent:*"})
EVERYTHING = "*"
RESOURCES = frozenset(text.partition(":")[0] for text in GENERAL)
IMPLICIT = frozenset({"execution:read", "execution:cancel"})
"""Every key holds these for executions of its own account."""
APPROVE = "execution:approve"
"""Answers approvals, and sees their links."""
BY_NAME = frozenset({APPROVE})
"""Capabilities that no `<resource>:*` covers: keys may be older than these capabilities."""
MODEL_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
SPECIFIC = re.compile(rf"workflow:[a-z0-9](?:[a-z0-9-]{{0,63}})?:run|model:{MODEL_NAME}:run")

PRESETS: dict[str, tuple[str, ...]] = {
    "Read-only": ("workflow:read",),
    "Workflow Deploy": ("workflow:run", "workflow:read"),
    "Webhook receiver": ("webhook:receive",),
    "Full deploy": ("workflow:run", "workflow:read", "workflow:write"),
    "Run with webhooks": ("workflow:run", "workflow:read", "webhook:receive"),
}
CUSTOM = "Custom"
"""Name for a key without preset, whose capabilities are listed."""
MAX_CAPABILITIES = 500
"""Limit of the capabilities listed for one key."""


class Tier(StrEnum):
    """An account's level."""

    FREE = "free"
    CREATOR = "creator"
    PRO = "pro"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"


class Role(StrEnum):
    """Role of an account in the installation."""

    USER = "user"
    ADMIN = "admin"


def parse(text: str) -> str:
    """Return a well-formed capability. Raises InvalidCapability."""
    if text in GENERAL or text in WILDCARDS or text == EVERYTHING:
        return text
    if SPECIFIC.fullmatch(text):
        return text
    shown = text if len(text) <= 80 else text[:80] + "…"
    raise InvalidCapability(f"{shown!r} is not a capability")


def is_model_name(text: str) -> bool:
    """Return True if a capability can contain the text as the name of a model."""
    return re.fullmatch(MODEL_NAME, text) is not None


def parse_all(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the capabilities parsed, sorted and without duplicates. Raises InvalidCapability."""
    return tuple(sorted({parse(text) for text in texts}))


def add_by_name(capabilities: Iterable[str]) -> tuple[str, ...]:
    """Return the sorted capabilities of a new key, with those that its `<resource>:*` lacks."""
    held = set(capabilities)
    return tuple(sorted(held | {each for each in BY_NAME if _wildcard_of(each) in held}))


def _wildcard_of(capability: str) -> str:
    return capability.partition(":")[0] + ":*"


def covers(granted: Iterable[str], required: str, name: str | None = None) -> bool:
    """Return True if the set allows the general capability `required`, for the resource `name`."""
    resource, _, verb = required.partition(":")
    accepted = {required, EVERYTHING}
    if required not in BY_NAME:
        accepted.add(f"{resource}:*")
    if name is not None:
        accepted.add(f"{resource}:{name}:{verb}")
    return required in IMPLICIT or not accepted.isdisjoint(granted)


def are_usable(
    granted: Iterable[str], ceiling: frozenset[str], required: str, name: str | None = None
) -> bool:
    """Like `covers`, for the capabilities that a ceiling allows now."""
    return covers([each for each in granted if is_under_ceiling(each, ceiling)], required, name)


def check_ceiling(capabilities: Iterable[str], tier: Tier, ceiling: frozenset[str]) -> None:
    """Check that the tier may grant them all.

    Raises ApiKeyAccessDenied or CapabilityAboveCeiling.
    """
    if not ceiling:
        raise ApiKeyAccessDenied(tier.value)
    for capability in capabilities:
        if not is_under_ceiling(capability, ceiling):
            raise CapabilityAboveCeiling(capability, tier.value)


def list_under_ceiling(ceiling: frozenset[str]) -> list[str]:
    """Return all capabilities that keys may have below a ceiling, but those for one resource."""
    return sorted(
        each for each in GENERAL | WILDCARDS | {EVERYTHING} if is_under_ceiling(each, ceiling)
    )


def is_under_ceiling(capability: str, ceiling: frozenset[str]) -> bool:
    """Return True if a ceiling, a set of resources or `*`, allows the capability.

    Called at every use of a key, because the ceiling may have changed since its creation.
    """
    return EVERYTHING in ceiling or capability.partition(":")[0] in ceiling
