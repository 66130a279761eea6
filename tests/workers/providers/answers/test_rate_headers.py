"""Rate limits in the headers of providers' answers."""

import pytest

from engine.models.limits import ModelLimits
from workers.providers.answers.rate_headers import read_limits


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({}, ModelLimits()),
        (
            {"x-ratelimit-limit-requests": "60", "x-ratelimit-limit-tokens": "9000"},
            ModelLimits(requests_per_minute=60, tokens_per_minute=9_000),
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-tokens-limit": "40000",
            },
            ModelLimits(requests_per_minute=50, tokens_per_minute=40_000),
        ),
        ({"x-ratelimit-limit-requests": "0", "x-ratelimit-limit-tokens": "many"}, ModelLimits()),
        ({"x-ratelimit-limit-requests": "-1", "x-ratelimit-limit-tokens": "²"}, ModelLimits()),
        ({"x-ratelimit-limit-requests": "9" * 5_000}, ModelLimits()),
    ],
)
def test_limits_are_read_from_headers(headers: dict[str, str], limits: ModelLimits) -> None:
    assert read_limits(headers) == limits
