"""Rate limits in the headers of providers' answers."""

from collections.abc import Mapping, Sequence

from engine.models.limits import ModelLimits

REQUESTS = ("x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit")
"""Some providers mean requests of a day; taken as a minute's, the limit is never too tight."""
TOKENS = ("x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit")
MOST = 10**9


def read_limits(headers: Mapping[str, str]) -> ModelLimits:
    """Return the limits in an answer's headers."""
    return ModelLimits(
        requests_per_minute=_first(headers, REQUESTS),
        tokens_per_minute=_first(headers, TOKENS),
    )


def _first(headers: Mapping[str, str], names: Sequence[str]) -> int | None:
    for name in names:
        text = headers.get(name, "")
        if text.isascii() and text.isdigit() and 0 < int(text[:12]) <= MOST:
            return int(text[:12])
    return None
