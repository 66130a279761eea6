"""Quota of documents: limits of the tiers, and the error beyond them."""

from collections.abc import Sequence

from engine.access.tiers import Tiers
from engine.errors import QuotaExceeded

QUOTAS = {b"workflows": "workflows", b"bytes": "documentBytes", b"tests": "tests"}
"""Quota names in errors by the script's names."""


def quota_exceeded(quota: bytes, used: bytes, limit: bytes) -> QuotaExceeded:
    """Return the error of a quota that a script names."""
    return QuotaExceeded(QUOTAS[quota], used=int(used), limit=int(limit))


def document_limits(tiers: Tiers) -> Sequence[str]:
    """Return tier and limits of every tier, as the scripts that write documents take them."""

    def shown(limit: int | None) -> str:
        return "" if limit is None else str(limit)

    return [
        word
        for tier, terms in tiers.by_tier.items()
        for word in (tier.value, f"{shown(terms.workflows)}:{shown(terms.document_bytes)}")
    ]
