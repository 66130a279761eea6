"""Which line a call stands in, and which limits that has."""

import pytest

from engine.models.limits import ModelLimits
from engine.models.manifest import Model
from tests.support.manifests import model
from tests.support.models.limited_calls import CHAT, limited
from workers.providers.limiter import LimiterKey, guess_tokens
from workers.providers.rate_headers import read_limits


def line(asked: Model, **environ: str) -> str:
    limiter_key = LimiterKey.of(asked, environ)
    assert limiter_key is not None
    return limiter_key.provider


def test_models_with_one_credential_and_the_same_limits_share_a_line() -> None:
    first, second = (limited(name, requests_per_minute=9) for name in ("a", "b"))

    assert line(first) == line(second)
    assert line(first) != line(limited("a", requests_per_minute=8))
    assert line(first) != line(limited(call=CHAT.replace("KEY", "OTHER"), requests_per_minute=9))


def test_without_stated_limits_each_model_has_a_line_of_its_own() -> None:
    assert line(limited("a")) != line(limited("b"))


def test_where_a_provider_is_counts_as_the_environment_has_it() -> None:
    moved = model(call=CHAT + 'base_url_env = "PLACE"\n')

    assert line(moved) == line(limited())
    assert line(moved, PLACE="http://elsewhere.example") != line(moved)


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("", "provider.example"),
        ("https://elsewhere.example/v1", "elsewhere.example"),
        ("http://127.0.0.1:8801/v1", "127.0.0.1:8801"),
        ("no address", "PLACE"),
    ],
)
def test_metrics_name_the_host_that_calls_go_to(place: str, label: str) -> None:
    limiter_key = LimiterKey.of(model(call=CHAT + 'base_url_env = "PLACE"\n'), {"PLACE": place})

    assert limiter_key is not None
    assert limiter_key.label == label


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


def test_tokens_are_guessed_from_the_texts_there_are() -> None:
    assert guess_tokens({"prompt": "x" * 400, "n": 7, "images": ["y" * 40], "none": None}) == 111
