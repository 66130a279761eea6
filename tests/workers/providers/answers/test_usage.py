"""Charges by the second: by the provider's report, else the measured length, else the most."""

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from engine.models.manifest import Model
from engine.models.pricing import Usage
from tests.support.http.providers import Kept, Provider, provided
from workers.providers.base import ModelAnswer
from workers.providers.model_caller import ModelCaller

FILM = "https://media.example/1.mp4"
BY_THE_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.1"\natMost = 60\n'
FILMS = '\npath = "/"\nresult = "urls"\nusage = { seconds = "used" }'


def films() -> Model:
    return provided("http", FILMS, category="video", pricing=BY_THE_SECOND)


async def call_model(models: ModelCaller, found: Model) -> ModelAnswer:
    return await models.call(found, {"prompt": "x"})


@pytest.mark.parametrize(
    ("reply", "measured", "seconds"),
    [
        ({"urls": [FILM], "used": 8}, [Decimal("5.04")], "8"),
        ({"urls": [FILM]}, [Decimal("5.04")], "5.04"),
        ({"urls": [FILM, FILM]}, [Decimal("5.04"), Decimal("1.5")], "6.54"),
        ({"urls": [FILM]}, [Decimal(70)], "60"),
        ({"urls": [FILM]}, [None], "60"),
        ({"urls": [FILM]}, [Decimal(0)], "60"),
        ({"urls": [FILM, FILM]}, [Decimal("5.04"), None], "60"),
        ({"urls": [FILM], "used": "a while"}, [Decimal(2)], "2"),
    ],
    ids=[
        *("reported", "measured", "together", "no more than the most", "not measured"),
        *("measured as nothing", "one of two not measured", "reported as no number"),
    ],
)
async def test_films_are_charged_by_their_known_length(
    models: ModelCaller,
    provider: Provider,
    kept: Kept,
    reply: Any,
    measured: list[Decimal | None],
    seconds: str,
) -> None:
    provider.answers = [reply]
    kept.seconds = measured

    answer = await call_model(models, films())

    assert answer.usage == Usage(calls=1, seconds=Decimal(seconds))


@pytest.mark.parametrize(("measured", "seconds"), [(Decimal("1.25"), "1.25"), (None, "60")])
async def test_speech_is_charged_by_how_long_it_is(
    models: ModelCaller,
    provider: Provider,
    kept: Kept,
    measured: Decimal | None,
    seconds: str,
) -> None:
    provider.answers = [sound()]
    kept.seconds = [measured]

    answer = await call_model(
        models, provided("openai", '\nmodel = "tts"', category="audio", pricing=BY_THE_SECOND)
    )

    assert answer.usage.seconds == Decimal(seconds)


def sound() -> Any:
    return web.Response(body=b"RIFF", headers={"content-type": "audio/wav"})
