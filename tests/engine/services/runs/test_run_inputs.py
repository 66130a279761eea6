"""Runs of one model: a sound is there, and assets have a length that the price allows."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import AssetNotFound, InvalidInputs
from engine.graph.model_plan import model_plan
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.services.media import MediaService
from engine.services.runs.run_inputs import AssetUse, check_model_inputs, check_run_inputs, run_here
from tests.support.manifests import PROMPT, model
from tests.support.manifests import field as model_field
from tests.support.models.speech_models import all_models

OURS, OTHER, FOREIGN = "https://here.example/a", "https://here.example/b", "https://a.example/c"


@dataclass
class Media:
    """Assets by link, with their lengths in milliseconds."""

    lengths: dict[str, int | None] = field(default_factory=dict)

    def is_own(self, url: str) -> bool:
        return url.startswith("https://here.example/")

    async def find(self, url: str, reader: str = "") -> Any:
        if url not in self.lengths:
            raise AssetNotFound
        return SimpleNamespace(duration_ms=self.lengths[url])


async def check(found: Model, media: Media, **inputs: Any) -> str:
    """Return the refusal of these inputs, empty for none."""
    with use_models([found]):
        try:
            await check_model_inputs(model_plan(found), inputs, cast(MediaService, media), "acc")
        except InvalidInputs as error:
            return f"{error.context['field']} {error.context['reason']}"
    return ""


@pytest.fixture
def listener() -> Model:
    return all_models()[0]


@pytest.mark.parametrize("milliseconds", [1, 60_000])
async def test_a_length_up_to_that_of_the_price_is_taken(
    listener: Model, milliseconds: int
) -> None:
    assert await check(listener, Media({OURS: milliseconds}), audio=OURS) == ""


@pytest.mark.parametrize("unknown", [None, 0])
async def test_a_longer_one_and_an_unknown_one_are_refused(
    listener: Model, unknown: int | None
) -> None:
    media = Media({OURS: 60_001, OTHER: unknown})

    assert await check(listener, media, audio=OURS) == (
        "audio is too long: the model takes 60 s at most, not 60.001 s"
    )
    assert await check(listener, media, video=OTHER) == (
        "video has a length that cannot be read, and the price of the model is by it"
    )


@pytest.mark.parametrize("url", [FOREIGN, "https://here.example/gone"])
async def test_others_are_left_to_the_worker(listener: Model, url: str) -> None:
    assert await check(listener, Media(), audio=url) == ""


async def test_no_link_of_a_list_is_read_that_is_too_long_for_a_call() -> None:
    read: list[object] = []
    reader = model("reader", fields=PROMPT + model_field("file", "file"))
    with use_models([reader]):
        plan = model_plan(reader)
    media = cast(MediaService, SimpleNamespace(linked=read.append))

    with pytest.raises(InvalidInputs, match="at most 20 files, not 21"):
        await check_run_inputs(
            plan,
            {"prompt": "x", "file": [FOREIGN] * 21},
            AssetUse(media_service=media, account_id="acc", execution_id="e"),
            is_model=True,
            allow_http=False,
            runner=run_here,
        )

    assert read == []


async def test_one_sound_or_video_is_given(listener: Model) -> None:
    none = await check(listener, Media(), language="de")
    both = await check(listener, Media(), audio=FOREIGN, video=FOREIGN)

    assert none == "audio is required, or a video in its place"
    assert both.startswith("video is given beside 'audio'")


async def test_other_models_are_not_checked() -> None:
    assert await check(model("writer"), Media(), prompt="x") == ""
