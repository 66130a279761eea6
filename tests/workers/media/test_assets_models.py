"""Models of media in whole workers against the stub: input images, stored media, speech."""

import asyncio
import io
import math
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engine.executions.execution import Execution
from engine.media.formats import MediaKind
from engine.media.ranges import ByteRange
from engine.models.registry import use_folder
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetSource
from tests.support.factories import Graph, Runner
from tests.support.http import raw_server
from tests.support.http.providers import KEY, stub_provider
from tests.support.manifests import manifest
from tests.support.media import files
from tests.support.workers.paying_account import PRO
from workers.main import worker

HERE = """
[openai]
base_url_env = "HEADRACE_LOCAL_MODEL_URL"
setup = "Start it"
model = "any"
body = { response_format = "url", size = "64x64" }
"""
SPEAKER = """
[openai]
base_url = "http://127.0.0.1:9"
base_url_env = "SPEECH_URL"
model = "tts"
body = { voice = "alloy" }
"""
BY_THE_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.01"\natMost = 60\n'


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with stub_provider() as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Models of one's own: `painter` stands where the model that runs here does."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "painter.toml").write_text(manifest("painter", category="image", call=HERE))
    (models / "speaker.toml").write_text(manifest("speaker", category="audio", call=SPEAKER))
    feed = manifest("narrator", category="audio", call=SPEAKER, pricing=BY_THE_SECOND)
    (models / "narrator.toml").write_text(feed)
    yield models
    use_folder("")


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return replace(settings, models_dir=str(folder))


@pytest.fixture(autouse=True)
def places(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, path in {
        "OPENAI": "/v1",
        "GEMINI": "",
        "ARK": "/api/v3",
        "SPEECH": "/v1",
        "HEADRACE_LOCAL_MODEL": "/v1",
    }.items():
        for ending in ("_BASE_URL", "_URL"):
            monkeypatch.setenv(name + ending, provider + path)
        monkeypatch.setenv(f"{name}_API_KEY", KEY)


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


@pytest.fixture
async def own(media_service: MediaService, account: Account) -> Asset:
    async def pieces() -> AsyncIterator[bytes]:
        yield files.png()

    return await media_service.save(account.id, "image/png", pieces(), source=AssetSource.UPLOAD)


async def run(runner: Runner, graph: Graph) -> Execution:
    execution_id = await runner.begin(await runner.save(graph), terms=PRO)
    return await runner.end(execution_id)


async def bytes_at(media_service: MediaService, url: str) -> tuple[Asset, bytes]:
    asset = await media_service.find(url)
    pieces = await media_service.stream(asset, ByteRange(0, asset.bytes))
    return asset, b"".join([piece async for piece in pieces])


def count_marks(data: bytes) -> int:
    """Return the number of images from which a picture of the stub is made."""
    picture = Image.open(io.BytesIO(data)).convert("L")
    row = int(22.5 * picture.height / 32)
    dots = [picture.getpixel((int((x + 0.5) * picture.width / 32), row)) for x in range(0, 32, 2)]
    return sum(int(dot) > 250 for dot in dots if isinstance(dot, int))


# -- images in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gpt-image", "nano-banana", "seedream"])
async def test_an_image_is_made_of_those_at_the_sockets(
    settings: Settings,
    runner: Runner,
    media_service: MediaService,
    own: Asset,
    stub: raw_server.Stub,
    model: str,
) -> None:
    foreign = files.picture("JPEG")
    stub.reply = raw_server.answer(f"Content-Length: {len(foreign)}", body=foreign)
    graph = (
        Graph()
        .node("photo", "upload", asset=own.id)
        .node("style", "list", kind="image", items=[{"value": f"{stub.url}/style.jpg"}])
        .node("paint", "imageGenerator", model=model, prompt="A cat in this style")
        .node("out", "responseOutput")
        .wire("photo.image-out > paint.image-in", "style.items-out > paint.style-in")
        .wire("photo.image-out > paint.character-in", "paint.image-out > out.result-in")
    )

    async with worker(settings):
        execution = await run(runner, graph)

    assert execution.error is None
    [url] = execution.result["images"]
    asset, data = await bytes_at(media_service, url)
    assert (asset.source, asset.medium) == (AssetSource.PROVIDER, MediaKind.IMAGE)
    assert count_marks(data) == 3


async def test_an_image_that_is_none_fails_the_node_with_a_word_of_why(
    settings: Settings, runner: Runner, stub: raw_server.Stub
) -> None:
    stub.reply = raw_server.answer("Content-Length: 6", body=b"<html>")
    graph = (
        Graph()
        .node("photo", "list", kind="image", items=[{"value": f"{stub.url}/x.png"}])
        .node("paint", "imageGenerator", model="gpt-image", prompt="A cat")
        .node("out", "responseOutput")
        .wire("photo.items-out > paint.image-in", "paint.image-out > out.result-in")
    )

    async with worker(settings):
        execution = await run(runner, graph)

    [node] = [each for each in execution.nodes if each.error]
    assert node.error == {
        "code": "invalid_value",
        "message": "What a URL leads to is no image known here",
    }


# -- generated media and speech -------------------------------------------------------------------


async def test_a_medium_of_a_provider_at_a_private_address_is_copied(
    settings: Settings, runner: Runner, media_service: MediaService, provider: str
) -> None:
    graph = Graph().node("paint", "imageGenerator", model="painter", prompt="A cat")
    graph.node("out", "responseOutput").wire("paint.image-out > out.result-in")
    strict = replace(settings, allow_private_urls=False, local_model_url=f"{provider}/v1")

    async with worker(strict):
        execution = await run(runner, graph)

    assert execution.error is None
    [url] = execution.result["images"]
    assert (await media_service.find(url)).source is AssetSource.PROVIDER


async def test_pictures_as_large_as_real_ones_are_kept_one_after_the_other(
    settings: Settings, runner: Runner, media_service: MediaService
) -> None:
    prompts = [{"value": f"Cat {number} [[stub bytes=3000000]]"} for number in range(4)]
    graph = (
        Graph()
        .node("cats", "list", items=prompts)
        .node("paint", "imageGenerator", model="gpt-image")
        .node("out", "responseOutput")
        .wire("cats.items-out > paint.prompt-in", "paint.image-out > out.result-in")
    )

    async with worker(settings), asyncio.timeout(30):  # the stub keeps a connection for longer
        execution = await run(runner, graph)

    assert execution.error is None
    assets = [await media_service.find(url) for url in execution.result["images"]]
    assert [asset.medium for asset in assets] == [MediaKind.IMAGE] * 4
    assert all(3_000_000 <= asset.bytes < 3_100_000 for asset in assets)


async def test_speech_is_a_sound_at_the_output_of_a_custom_model(
    settings: Settings, runner: Runner, media_service: MediaService
) -> None:
    graph = Graph().node("speak", "customModel", model="speaker", prompt="Good morning")
    graph.node("out", "responseOutput").wire("speak.audio-out > out.result-in")

    async with worker(settings):
        execution = await run(runner, graph)

    assert execution.error is None
    [url] = execution.result["audios"]
    asset, data = await bytes_at(media_service, url)
    assert (asset.medium, asset.content_type, data[:4]) == (MediaKind.AUDIO, "audio/wav", b"RIFF")
    assert execution.nodes[0].credits_cost == 13


async def test_speech_that_is_paid_by_the_second_costs_its_length(
    settings: Settings, runner: Runner, media_service: MediaService
) -> None:
    graph = Graph().node("speak", "customModel", model="narrator", prompt="Good morning")
    graph.node("out", "responseOutput").wire("speak.audio-out > out.result-in")

    async with worker(settings):
        execution = await run(runner, graph)

    [url] = execution.result["audios"]
    asset = await media_service.find(url)
    assert asset.duration_ms is not None
    assert 0 < asset.duration_ms < 10_000
    assert execution.nodes[0].credits_cost == math.ceil(asset.duration_ms / 100 * 1.3)
