"""Keys of limiters: the queue of a call, and its limits."""

import pytest

from engine.models.manifest import Model
from tests.support.manifests import model
from tests.support.models.limited_calls import CHAT, limited
from workers.providers.limiter.call_limiter import LimiterKey, guess_tokens


def queue_of(asked: Model, **environ: str) -> str:
    limiter_key = LimiterKey.for_model(asked, environ)
    assert limiter_key is not None
    return limiter_key.provider


def test_models_with_one_credential_and_the_same_limits_share_a_queue() -> None:
    first, second = (limited(name, requests_per_minute=9) for name in ("a", "b"))

    assert queue_of(first) == queue_of(second)
    assert queue_of(first) != queue_of(limited("a", requests_per_minute=8))
    assert queue_of(first) != queue_of(
        limited(call=CHAT.replace("KEY", "OTHER"), requests_per_minute=9)
    )


def test_without_stated_limits_each_model_has_a_queue_of_its_own() -> None:
    assert queue_of(limited("a")) != queue_of(limited("b"))


def test_the_base_url_in_the_environment_is_part_of_the_key() -> None:
    moved = model(call=CHAT + 'base_url_env = "PLACE"\n')

    assert queue_of(moved) == queue_of(limited())
    assert queue_of(moved, PLACE="http://elsewhere.example") != queue_of(moved)


@pytest.mark.parametrize(
    ("base_url", "label"),
    [
        ("", "provider.example"),
        ("https://elsewhere.example/v1", "elsewhere.example"),
        ("http://127.0.0.1:8801/v1", "127.0.0.1:8801"),
        ("no address", "PLACE"),
    ],
)
def test_metrics_name_the_host_that_calls_go_to(base_url: str, label: str) -> None:
    limiter_key = LimiterKey.for_model(
        model(call=CHAT + 'base_url_env = "PLACE"\n'), {"PLACE": base_url}
    )

    assert limiter_key is not None
    assert limiter_key.label == label


def test_tokens_are_guessed_from_the_texts_there_are() -> None:
    assert guess_tokens({"prompt": "x" * 400, "n": 7, "images": ["y" * 40], "none": None}) == 111
