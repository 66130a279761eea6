"""What an API key may do: parsing, matching, presets and ceilings.

Capabilities form a set; none implies another but `<resource>:*`, which covers its resource, and
`*`, which covers everything and belongs to admin accounts only. A capability has two or three
parts: `workflow:run` is general, `workflow:<slug>:run` is for one workflow. The number of parts
decides, so a workflow whose slug is `run` or `read` confuses nothing.
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
        "agent:invoke",
    }
)
WILDCARDS = frozenset({"workflow:*", "model:*", "webhook:*", "execution:*", "agent:*"})
EVERYTHING = "*"
RESOURCES = frozenset(text.partition(":")[0] for text in GENERAL)
IMPLICIT = frozenset({"execution:read", "execution:cancel"})
"""Every key holds these for executions of its own account."""
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
"""The preset that is none: the capabilities are listed."""
MAX_CAPABILITIES = 500
"""As many as one key is given, as they are listed."""


class Tier(StrEnum):
    """An account's level."""

    FREE = "free"
    CREATOR = "creator"
    PRO = "pro"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"


class Role(StrEnum):
    """What an account is to the installation."""

    USER = "user"
    ADMIN = "admin"


def parse(text: str) -> str:
    """The capability itself. Raises InvalidCapability for anything else."""
    if text in GENERAL or text in WILDCARDS or text == EVERYTHING:
        return text
    if SPECIFIC.fullmatch(text):
        return text
    shown = text if len(text) <= 80 else text[:80] + "…"
    raise InvalidCapability(f"{shown!r} is not a capability")


def is_model_name(text: str) -> bool:
    """Whether a model may be called this, so that a capability can name it."""
    return re.fullmatch(MODEL_NAME, text) is not None


def parse_all(texts: Iterable[str]) -> tuple[str, ...]:
    """The canonical set: parsed, without repetition, sorted. Raises InvalidCapability."""
    return tuple(sorted({parse(text) for text in texts}))


def covers(held: Iterable[str], required: str, name: str | None = None) -> bool:
    """Whether the set allows `required` (a general capability), for the thing called `name`."""
    resource, _, verb = required.partition(":")
    accepted = {required, f"{resource}:*", EVERYTHING}
    if name is not None:
        accepted.add(f"{resource}:{name}:{verb}")
    return required in IMPLICIT or not accepted.isdisjoint(held)


def check_ceiling(capabilities: Iterable[str], tier: Tier, ceiling: frozenset[str]) -> None:
    """Raises ApiKeyAccessDenied or CapabilityAboveCeiling when the tier may not grant them all."""
    if not ceiling:
        raise ApiKeyAccessDenied(tier.value)
    for capability in capabilities:
        if not is_under_ceiling(capability, ceiling):
            raise CapabilityAboveCeiling(capability, tier.value)


def is_under_ceiling(capability: str, ceiling: frozenset[str]) -> bool:
    """Whether the capability may be used; asked at every use, not only at creation.

    A ceiling has the resources that a tier may grant, or `*` for everything.
    """
    return EVERYTHING in ceiling or capability.partition(":")[0] in ceiling
