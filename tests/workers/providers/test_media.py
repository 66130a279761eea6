"""Media for providers: our own as data, others as their URLs."""

import base64
from typing import Any

import pytest

from engine.models.manifest import Model
from tests.support.http.providers import Kept, Provider, provided
from tests.support.manifests import PROMPT
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from workers.providers.base import ModelCall
from workers.providers.media import content_type_of
from workers.providers.model_caller import ModelCaller

FIELDS = f'{PROMPT}\n[[fields]]\nname = "photo"\ntype = "image"\n'
OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/1.png"
PNG = b"\x89PNG\r\n\x1a\npicture"
DATA = base64.b64encode(PNG).decode()
CHAT = {"choices": [{"message": {"content": "hi"}}]}
MESSAGE = {"content": [{"type": "text", "text": "hi"}]}
PICTURE = {"url": FOREIGN}


@pytest.fixture(autouse=True)
def own(kept: Kept) -> None:
    kept.own[("acc", OURS)] = PNG


async def sent(models: ModelCaller, found: Model, provider: Provider, photo: Any) -> Any:
    await models.call(
        found, {"prompt": "x", "photo": photo}, ModelCall(checkpoints=RecordedCheckpoints())
    )
    return provider.asked[-1].body


def http(more: str = "") -> Model:
    section = '\npath = "/"\nbody = { photo = "{{ photo }}" }\nresult = "url"\n' + more
    return provided("http", section, category="image", fields=FIELDS)


async def test_a_medium_of_the_accounts_own_is_sent_as_data(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [PICTURE]

    body = await sent(models, http(), provider, OURS)

    assert body == {"photo": f"data:image/png;base64,{DATA}"}


async def test_a_foreign_one_is_sent_as_its_url(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [PICTURE]

    assert await sent(models, http(), provider, FOREIGN) == {"photo": FOREIGN}


async def test_another_accounts_is_sent_as_its_url_alone(
    models: ModelCaller, provider: Provider, kept: Kept
) -> None:
    kept.own = {("somebody", OURS): PNG}
    provider.answers = [PICTURE]

    assert await sent(models, http(), provider, OURS) == {"photo": OURS}


async def test_chats_get_their_pictures_in_their_own_ways(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [CHAT]
    openai = await sent(
        models, provided("openai", '\nmodel = "m"', fields=FIELDS), provider, [OURS, FOREIGN]
    )
    provider.answers = [MESSAGE]
    anthropic = await sent(
        models, provided("anthropic", '\nmodel = "m"', fields=FIELDS), provider, [OURS, FOREIGN]
    )

    urls = [part["image_url"]["url"] for part in openai["messages"][0]["content"][1:]]
    assert urls == [f"data:image/png;base64,{DATA}", FOREIGN]
    sources = [part["source"] for part in anthropic["messages"][0]["content"][:-1]]
    assert sources == [
        {"type": "base64", "media_type": "image/png", "data": DATA},
        {"type": "url", "url": FOREIGN},
    ]


async def test_a_job_that_is_under_way_needs_its_media_no_more(
    models: ModelCaller, provider: Provider, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = (
        '[http.job]\nid = "id"\npath = "/{{ job }}"\nstatus = "status"\n'
        'done = ["ok"]\nfailed = ["no"]\n'
    )
    checkpoints = RecordedCheckpoints(jobs={0: {"model": "own", "id": "j", "round": 0}})
    provider.answers = [PICTURE | {"status": "ok"}]

    async def fail(*args: object) -> bytes:
        raise AssertionError("nobody needs it")

    monkeypatch.setattr(kept, "read", fail)
    values = {"prompt": "x", "photo": OURS}

    assert (
        await models.call(http(more), values, ModelCall(checkpoints=checkpoints))
    ).value == FOREIGN


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt", "audio/wav"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"\0\0\0\x20ftypavis", "image/avif"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"<html>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_decide_the_content_type(data: bytes, content_type: str) -> None:
    assert content_type_of(data) == content_type
