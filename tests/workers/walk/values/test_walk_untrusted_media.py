"""URLs of media are untrusted, from callers, nodes or servers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.executions.execution import Execution
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from tests.engine.media.test_links import BAD_IDS, EXPIRES
from tests.support.factories import Graph, Runner
from tests.support.http import raw_server
from tests.support.http.raw_server import Stub, serving
from tests.support.media import files
from tests.support.workers.untrusted_outputs import URLS, failure, modelled, run_all
from workers.main import worker
from workers.walk.walker import Walker

MOST = 40_000_000
SAID = [url for url in URLS if "\0" not in url]
"""No expression gives a NUL."""
NO_WAYS = (
    *("data:image/png;base64,iVBORw0KGgo=", "data:,x", "file:///etc/passwd", "blob:null/x"),
    *("ftp://example.com/a.png", "s3://bucket/a.png", "javascript:alert(1)", "//example.com/a.png"),
    *("/etc/passwd", "../../etc/passwd", "C:\\a.png", "\\\\host\\a.png", "a.png", "{{ v }}"),
    *("gopher://127.0.0.1:6379/_FLUSHALL", "jar:http://x!/a", "https://", "http:///a.png"),
)


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


@pytest.fixture
async def strict_walker(settings: Settings) -> AsyncIterator[Walker]:
    """A worker that calls no private address."""
    async with worker(replace(settings, allow_private_urls=False)) as walker:
        yield walker


def shown() -> Graph:
    """Return a graph: a model that repeats its input, and a picture at that URL."""
    return resized(modelled(), "model.text-out")


def resized(graph: Graph, source: str) -> Graph:
    """Return a graph: a picture from an expression, since a text does not fit the socket."""
    graph.node("plain", "transform", expression="value").node("small", "imageResize", width=8)
    graph.wire(f"{source} > plain.value-in", "plain.value-out > small.image-in")
    return graph.node("out", "responseOutput").wire("small.image-out > out.result-in")


def given() -> Graph:
    """Return a graph with a picture at the URL in an input."""
    return resized(Graph("said"), "in.said")


async def kept(media_service: MediaService, account_id: str, data: bytes = b"") -> str:
    async def pieces() -> AsyncIterator[bytes]:
        yield data or files.png()

    asset = await media_service.save(account_id, "image/png", pieces(), source=AssetSource.UPLOAD)
    return media_service.link(asset)


def codes(ended: list[Execution]) -> set[tuple[str, str]]:
    return {failure(each) for each in ended}


@pytest.mark.A70a
@pytest.mark.parametrize("graph", [shown(), given()], ids=["said by a model", "given"])
async def test_no_spelling_of_a_url_leads_inside(
    runner: Runner, strict_walker: Walker, graph: Graph
) -> None:
    async with serving(Stub(), "0.0.0.0") as everywhere:
        ended = await run_all(runner, graph, SAID)

    assert codes(ended) == {("small", "url_blocked")}
    assert everywhere.connections == 0


@pytest.mark.A70a
async def test_a_value_that_is_no_web_address_is_no_medium(runner: Runner, walker: Walker) -> None:
    ended = await run_all(runner, shown(), NO_WAYS)

    assert codes(ended) <= {("small", "url_blocked"), ("small", "invalid_value")}


@pytest.mark.A70a
async def test_a_link_of_ours_that_a_model_changed_leads_to_nothing(
    runner: Runner, strict_walker: Walker, media_service: MediaService, account: Account
) -> None:
    own = await kept(media_service, account.id)
    foreign = await kept(media_service, "another")
    place, query = own.split("?")
    base = place.rpartition("/")[0]
    said = [
        *(foreign, place, f"{own}0", own.replace("signature=", "signature=0"), f"{own}&w=64"),
        *(f"{place}?w=64&{query}", f"{place}?{query.replace('expires=1', 'expires=9')}"),
        *(f"{base}/{bad}?{query}" for bad in BAD_IDS if bad.isascii() and "\0" not in bad),
        *(f"{base}/../../etc/passwd?{query}", f"{base}/%2e%2e/%2e%2e/etc/passwd?{query}"),
        f"{base}/{'a' * 24}?expires={EXPIRES}&signature={'0' * 64}",
    ]
    said = [each for each in said if each == each.strip() and "\n" not in each]

    ended = await run_all(runner, shown(), said)
    [good] = await run_all(runner, shown(), [own])

    assert good.status == "completed"
    assert codes(ended) <= {("small", "asset_not_found"), ("small", "url_blocked")}
    assert len(ended) > 25


NO_IMAGES = (
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"<!doctype html><script>alert(1)</script>",
    files.mp4(),
    b"PK\x03\x04" + bytes(64),
    files.png_head(65_535, 65_535),
    b"#EXTM3U\nhttp://169.254.169.254/\n",
    b"",
)


async def test_a_foreign_medium_must_be_of_its_kind(
    runner: Runner, walker: Walker, stub: Stub
) -> None:
    for data in NO_IMAGES:
        head = (f"Content-Length: {len(data)}", "Content-Type: image/png")
        stub.reply = raw_server.answer(*head, body=data)

        ended = await run_all(runner, shown(), [f"{stub.url}/a.png"])

        assert codes(ended) == {("small", "bad_media")}, data[:20]


async def test_a_medium_that_is_too_large_is_not_read_to_its_end(
    runner: Runner, walker: Walker, stub: Stub
) -> None:
    stub.then_close, ended = True, []
    piece = b"%x\r\n" % 1_000_000 + bytes(1_000_000) + b"\r\n"
    for reply in (
        raw_server.answer(f"Content-Length: {MOST + 1}", body=files.png()),
        raw_server.answer("Content-Length: 52428801", body=files.png()),
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[piece] * 60],
    ):
        stub.reply = reply
        ended += await run_all(runner, shown(), [f"{stub.url}/a.png"])

    assert codes(ended) == {("small", "response_too_large")}


async def test_media_from_elsewhere_count_as_calls_of_the_account(
    runner: Runner, walker: Walker, stub: Stub, store: Store, account: Account
) -> None:
    data = files.png()
    stub.reply = raw_server.answer(f"Content-Length: {len(data)}", body=data)

    await run_all(runner, shown(), [f"{stub.url}/{number}.png" for number in range(20)])

    lease = await store.outbound.lease(account.id, "x.example", calls=10**6, sent=0)
    assert lease.calls is not None
    assert lease.calls <= (6_000 - 20) // 8
