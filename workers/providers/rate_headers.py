"""What providers say in headers about how much they take."""

from collections.abc import Mapping, Sequence

from engine.models.limits import ModelLimits

REQUESTS = ("x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit")
"""Some mean what they take in a day; taken for a minute's it is no tighter than the truth."""
TOKENS = ("x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit")
MOST = 10**9


def read_limits(headers: Mapping[str, str]) -> ModelLimits:
    """The limits that an answer tells of."""
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
