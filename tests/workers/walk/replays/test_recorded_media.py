"""Media and local work in replays: assets are those of the earlier run, and nobody is called."""

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from engine.executions.execution import Execution
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import Asset, AssetSource
from tests.support.factories import Graph, Runner
from tests.support.http.scripted_server import Target
from tests.support.media import files
from tests.support.replays.replayed_runs import accept_replay, code_of

pytestmark = [pytest.mark.A98a, pytest.mark.usefixtures("walker")]
FORM = [{"name": "photo", "label": "Photo", "type": "image"}]


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
async def asset(media_service: MediaService, account: Account) -> Asset:
    data = files.png(400, 200)
    return await media_service.save(
        account.id, "image/png", pieces(data), source=AssetSource.UPLOAD
    )


async def replayed(
    runner: Runner, media: MediaService, former: Execution, graph: Graph
) -> Execution:
    new_id = await accept_replay(
        *(runner.store, runner.account, former, graph),
        media_service=media,
        notifier=runner.notifier.channel,
    )
    return await runner.end(new_id)


def described(url: str, width: int = 40, text: str = "See {{ a }}") -> Graph:
    """Return a graph: an image becomes smaller, and a call has its link within a text."""
    graph = Graph().node("in", "requestInput", fields=FORM)
    graph.node("small", "imageResize", width=width, height=20)
    graph.node("text", "textBox", text=text)
    graph.node("call", "httpRequest", method="POST", url=f"{url}/echo")
    graph.node("out", "responseOutput", fields=[{"name": "image"}, {"name": "answer"}])
    return graph.wire(
        *("in.photo > small.image-in", "small.image-out > text.a", "text.text-out > call.body-in"),
        *("small.image-out > out.image", "call.response-out > out.answer"),
    )


async def begun(runner: Runner, media: MediaService, asset: Asset, graph: Graph) -> Execution:
    _, link = await media.use(runner.account.id, asset.id, "00000000-0000-4000-8000-000000000001")
    return await runner.end(await runner.begin(await runner.save(graph), {"photo": link}))


async def test_a_picture_of_the_earlier_run_is_taken_and_kept(
    runner: Runner, target: Target, media_service: MediaService, asset: Asset, store: Store
) -> None:
    former = await begun(runner, media_service, asset, described(target.url))

    ended = await replayed(runner, media_service, former, described(target.url))

    assert ended.error is None
    made = media_service.linked(former.result["image"])
    assert made is not None and media_service.linked(ended.result["image"]) == made
    assert (ended.result["answer"], target.calls.total()) == (former.result["answer"], 1)
    for asset_id in (made, asset.id):
        _, needing = await store.assets.needed_by(asset_id)
        assert ended.id in needing


async def test_other_local_work_is_done_and_what_calls_with_it_is_unmatched(
    runner: Runner, target: Target, media_service: MediaService, asset: Asset
) -> None:
    former = await begun(runner, media_service, asset, described(target.url))
    alone = Graph().node("in", "requestInput", fields=FORM)
    alone.node("small", "imageResize", width=20, height=20).node("out", "responseOutput")
    alone.wire("in.photo > small.image-in", "small.image-out > out.result-in")

    made = await replayed(runner, media_service, former, alone)
    ended = await replayed(runner, media_service, former, described(target.url, width=20))

    [url] = made.result["images"]
    assert Image.open(io.BytesIO(await _bytes(media_service, url))).size == (20, 10)
    assert code_of(ended) == "replay_unmatched"
    assert ended.error is not None and ended.error["nodeId"] == "call"
    assert target.calls.total() == 1


async def _bytes(media_service: MediaService, url: str) -> bytes:
    asset = await media_service.find(url)
    return b"".join([piece async for piece in await media_service.stream(asset)])


async def test_expressions_are_computed(runner: Runner, media_service: MediaService) -> None:
    graph = Graph("who").node("shape", "transform", expression="value + '!'")
    graph.node("out", "responseOutput")
    graph.wire("in.who > shape.value-in", "shape.value-out > out.result-in")
    former = await runner.run(graph, {"who": "Ada"})
    graph.nodes[1]["data"]["expression"] = "value + '?'"

    ended = await replayed(runner, media_service, former, graph)

    assert (former.result, ended.result) == ("Ada!", "Ada?")


async def test_an_upload_is_linked_without_a_call(
    runner: Runner, media_service: MediaService, asset: Asset, store: Store
) -> None:
    graph = Graph("who").node("out", "responseOutput").wire("in.who > out.result-in")
    former = await runner.run(graph, {"who": "Ada"})
    graph.node("up", "upload", asset=asset.id).wire("up.image-out > out.result-in")

    ended = await replayed(runner, media_service, former, graph)

    assert media_service.linked(ended.result["images"][0]) == asset.id


@pytest.mark.parametrize("onError", ["fail", "continue"])
async def test_a_picture_from_elsewhere_is_not_fetched(
    runner: Runner, media_service: MediaService, target: Target, onError: str
) -> None:
    graph = Graph().node("in", "requestInput", fields=FORM).node("out", "responseOutput")
    photo = f"{target.url}/picture.png"
    former = await runner.run(graph.wire("in.photo > out.result-in"), {"photo": photo})
    other = Graph().node("in", "requestInput", fields=FORM)
    other.node("small", "imageResize", width=60, height=20, onError=onError)
    other.node("out", "responseOutput")
    other.wire("in.photo > small.image-in", "small.image-out > out.result-in")

    ended = await replayed(runner, media_service, former, other)

    assert code_of(ended) == "replay_unmatched"
    assert target.calls.total() == 0
