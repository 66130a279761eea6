import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from engine.errors.nodes import BAD_RESPONSE, FilesMustWait, NodeFailed
from engine.media.formats import MediaKind
from engine.nodes.support.base import HttpCall
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetSource
from engine.store.schema import FILES_SCHEMA
from engine.telemetry.metrics import REGISTRY
from tests.support.documents.samples import pdf, samples
from tests.support.factories import Graph, Runner
from tests.support.http import raw_server
from tests.support.media import files
from workers.media.assets import AccountMedia, OwnMedia
from workers.outbound.client import Egress
from workers.walk.walker import Walker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, max_asset_bytes=200_000)


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


@pytest.fixture
def media_store(media_service: MediaService, egress: Egress, account: Account) -> AccountMedia:
    return AccountMedia(media_service, egress, egress).for_execution("x", "image")


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def kept(media_service: MediaService, account: Account, data: bytes, kind: str) -> Asset:
    return await media_service.save(account.id, kind, pieces(data), source=AssetSource.UPLOAD)


async def failing(work: Awaitable[object]) -> NodeFailed:
    with pytest.raises(NodeFailed) as caught:
        await work
    return caught.value


def served(data: bytes, *lines: str, status: str = "200 OK") -> list[bytes]:
    return raw_server.answer(f"Content-Length: {len(data)}", *lines, body=data, status=status)


async def test_data_from_a_provider_are_stored(
    media_store: AccountMedia, media_service: MediaService, account: Account
) -> None:
    url = (await media_store.keep(account.id, files.png(), "image/jpeg")).url

    asset = await media_service.find(url)
    assert (asset.account_id, asset.source, asset.content_type) == (
        *(account.id, AssetSource.PROVIDER, "image/png"),
    )


async def test_a_medium_at_a_providers_url_is_copied(
    media_store: AccountMedia, media_service: MediaService, account: Account, stub: raw_server.Stub
) -> None:
    stub.reply = served(files.png(), "Content-Type: text/html")

    asset = await media_service.find((await media_store.copy(account.id, f"{stub.url}/a.png")).url)

    assert (asset.medium, asset.bytes) == (MediaKind.IMAGE, len(files.png()))


@pytest.mark.parametrize("content_type", samples())
async def test_a_node_stores_documents_of_the_type_that_is_declared(
    media_service: MediaService, account: Account, egress: Egress, content_type: str
) -> None:
    data = samples()[content_type]
    media_store = AccountMedia(media_service, egress, egress).for_execution("x", "")

    asset = await media_service.find((await media_store.keep(account.id, data, content_type)).url)

    assert (asset.content_type, asset.medium) == (content_type, MediaKind.FILE)


@pytest.mark.parametrize("kind", ["image", "audio", "text"])
@pytest.mark.parametrize("content_type", samples())
async def test_a_model_makes_no_documents_of_texts_or_of_another_kind(
    media_service: MediaService, account: Account, egress: Egress, kind: str, content_type: str
) -> None:
    data = samples()[content_type]
    media_store = AccountMedia(media_service, egress, egress).for_execution("x", kind)

    failure = await failing(media_store.keep(account.id, data, content_type))

    assert failure.code == BAD_RESPONSE


async def test_a_document_of_a_node_waits_for_migrate(
    media_service: MediaService,
    account: Account,
    egress: Egress,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store.schema, "allows", lambda since: since < FILES_SCHEMA)
    media_store = AccountMedia(media_service, egress, egress).for_execution("x", "")

    for declared in ("application/pdf", "application/octet-stream"):
        failure = await failing(media_store.keep(account.id, pdf(), declared))
        assert isinstance(failure, FilesMustWait)
        assert "headrace migrate" in failure.message
    assert await media_store.keep(account.id, files.png(), "image/png")


async def test_the_type_on_record_is_told_to_accounts_that_may_read_the_asset(
    media_store: AccountMedia, media_service: MediaService, account: Account
) -> None:
    asset = await kept(media_service, account, files.png(), "image/png")
    url = media_service.link(asset)

    assert await media_store.content_type(account.id, url) == "image/png"
    assert await media_store.content_type("other", url, account.id) == "image/png"
    assert await media_store.content_type(account.id, "https://a.example/a.png") is None
    failure = await failing(media_store.content_type("other", url))
    assert failure.code == "asset_not_found"


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (files.wav(1_250), "1.25"),
        (files.mp4(milliseconds=5_040), "5.04"),
        (files.mp3(), "0.026"),
        (files.webm(), None),
    ],
    ids=["wav", "mp4", "mp3", "webm"],
)
async def test_stored_media_are_measured_where_possible(
    media_service: MediaService,
    egress: Egress,
    account: Account,
    stub: raw_server.Stub,
    data: bytes,
    seconds: str | None,
) -> None:
    media_store = AccountMedia(media_service, egress, egress)
    stub.reply = served(data)
    long = None if seconds is None else Decimal(seconds)

    assert (await media_store.keep(account.id, data, "application/octet-stream")).seconds == long
    assert (await media_store.copy(account.id, f"{stub.url}/a")).seconds == long


@pytest.mark.A86
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (served(b"<script>alert(1)</script>", "Content-Type: image/png"), "PROVIDER_BAD_RESPONSE"),
        (served(files.png_head(65_535, 65_535)), "PROVIDER_BAD_RESPONSE"),
        (served(files.mp4()), "PROVIDER_BAD_RESPONSE"),
        (served(b""), "PROVIDER_BAD_RESPONSE"),
        (served(files.png(), status="404 Gone"), "PROVIDER_BAD_RESPONSE"),
        (served(files.png(), "Content-Encoding: gzip"), "bad_response"),
        (raw_server.answer("Content-Length: 200001", body=files.png()), "response_too_large"),
        (raw_server.answer("Content-Length: 9999", body=files.png()), "bad_response"),
    ],
)
async def test_an_unfit_medium_fails_the_node_and_is_not_stored(
    media_store: AccountMedia,
    account: Account,
    stub: raw_server.Stub,
    tmp_path: Path,
    reply: list[bytes],
    code: str,
) -> None:
    stub.reply, stub.then_close = reply, True

    failure = await failing(media_store.copy(account.id, f"{stub.url}/a.png"))

    assert failure.code == code
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


@pytest.mark.A86
async def test_a_url_that_may_not_be_called_is_passed_on_and_not_called(
    media_service: MediaService, strict: Egress, account: Account, stub: raw_server.Stub
) -> None:
    media_store = AccountMedia(media_service, strict, strict).for_execution("x", "image")

    assert (await media_store.copy(account.id, f"{stub.url}/a.png")).url == f"{stub.url}/a.png"
    assert stub.connections == 0


async def test_a_medium_at_a_providers_own_host_is_copied_from_a_private_address_too(
    media_service: MediaService,
    strict: Egress,
    egress: Egress,
    account: Account,
    stub: raw_server.Stub,
) -> None:
    media_store = AccountMedia(media_service, strict, egress).for_execution(
        "x", "image", f"{stub.url}/v1"
    )
    stub.reply = served(files.png())
    elsewhere = f"http://127.0.0.2:{stub.port}/a.png"

    url = (await media_store.copy(account.id, f"{stub.url}/files/a.png")).url

    assert (await media_service.find(url)).medium is MediaKind.IMAGE
    for passed_on in (elsewhere, "http://[broken/a.png"):
        assert (await media_store.copy(account.id, passed_on)).url == passed_on
    stub.reply = [raw_server.redirect(302, elsewhere)]
    failure = await failing(media_store.copy(account.id, f"{stub.url}/a.png"))
    assert failure.code == "PROVIDER_BAD_RESPONSE"
    assert stub.connections <= 2


@pytest.mark.parametrize(
    ("provider", "url", "is_copied"),
    [
        ("http://{host}/v1", "http://{host}/a.png", True),
        ("http://{host}", "HTTP://{host}/a.png?x=1#y", True),
        ("http://{host}/v1", "https://{host}/a.png", False),
        ("http://{host}/v1", "http://{host}.example/a.png", False),
        ("http://{host}/v1", "http://me@{host}/a.png", False),
        ("http://{host}/v1", "http://127.0.0.1/a.png", False),
        ("", "http://{host}/a.png", False),
    ],
)
async def test_a_providers_own_host_is_its_scheme_name_and_port(
    media_service: MediaService,
    strict: Egress,
    egress: Egress,
    account: Account,
    stub: raw_server.Stub,
    provider: str,
    url: str,
    is_copied: bool,
) -> None:
    host = f"127.0.0.1:{stub.port}"
    media_store = AccountMedia(media_service, strict, egress).for_execution(
        "x", "image", provider.format(host=host)
    )
    stub.reply = served(files.png())

    given = (await media_store.copy(account.id, url.format(host=host))).url

    assert (given != url.format(host=host)) is is_copied
    assert stub.connections == is_copied


def counted_failures() -> float:
    """Return the count of failures of the place for media."""
    return REGISTRY.get_sample_value("headrace_storage_failures_total") or 0.0


async def test_a_place_that_is_full_or_gone_fails_the_node_and_leaves_nothing(
    media_store: AccountMedia, account: Account, stub: raw_server.Stub, tmp_path: Path
) -> None:
    stub.reply = served(files.png())
    (tmp_path / "media").write_text("no folder")
    before = counted_failures()

    failures = [
        await failing(media_store.copy(account.id, f"{stub.url}/a.png")),
        await failing(media_store.keep(account.id, files.png(), "image/png")),
    ]

    assert [failure.code for failure in failures] == ["storage_error"] * 2
    assert counted_failures() == before + 2
    assert all(str(tmp_path) not in failure.message for failure in failures)


async def test_a_medium_over_the_quota_fails_the_node_and_leaves_nothing(
    settings: Settings,
    store: Store,
    egress: Egress,
    account: Account,
    stub: raw_server.Stub,
    tmp_path: Path,
) -> None:
    tiers, data = tmp_path / "tiers.toml", files.picture("PNG", 400, 300)
    tiers.write_text(f"[pro]\nmedia_bytes = {len(data) + 10}\n")
    crowded = Store.open(replace(settings, tiers_file=str(tiers)))
    media_store = AccountMedia(
        MediaService.from_settings(settings, crowded), egress, egress
    ).for_execution("x", "image")
    stub.reply = served(data)

    await media_store.copy(account.id, f"{stub.url}/a.png")
    before = counted_failures()
    failures = [
        await failing(media_store.copy(account.id, f"{stub.url}/a.png")),
        await failing(media_store.keep(account.id, data, "image/png")),
    ]
    count = await crowded.assets.stored(account.id)
    await crowded.close()

    assert [(each.code, each.retryable) for each in failures] == [("storage_error", False)] * 2
    assert counted_failures() == before
    assert all(f"take {len(data)} bytes of the" in each.message for each in failures)
    assert count == len(data)
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1


async def test_without_a_place_urls_are_passed_on(
    settings: Settings, store: Store, egress: Egress, account: Account
) -> None:
    nowhere = MediaService.from_settings(replace(settings, media_url=""), store)
    media_store = AccountMedia(nowhere, egress, egress).for_execution("x", "image")

    assert (
        await media_store.copy(account.id, "https://example.com/a.png")
    ).url == "https://example.com/a.png"
    assert (
        await failing(media_store.keep(account.id, files.png(), "image/png"))
    ).code == "storage_error"


async def test_links_to_media_of_the_account_are_read_where_they_are(
    media_service: MediaService, strict: Egress, account: Account
) -> None:
    asset = await kept(media_service, account, files.png(), "image/png")
    way_out, url = OwnMedia(media_service, strict), media_service.link(asset)
    call = HttpCall(method="GET", url=url, account_id=account.id)

    answer = await way_out.fetch(call)
    small = await way_out.fetch(structs.replace(call, max_bytes=4, is_cut=True))

    assert (answer.status, answer.body) == (200, files.png())
    assert answer.headers == {"content-type": "image/png"}
    assert small.body == files.png()[:4]
    assert (
        await failing(way_out.fetch(structs.replace(call, max_bytes=4)))
    ).code == "response_too_large"
    for wrong in (
        structs.replace(call, url=f"{url}0"),
        structs.replace(call, account_id="another"),
    ):
        assert (await failing(way_out.fetch(wrong))).code == "asset_not_found"
    assert (
        await failing(way_out.fetch(structs.replace(call, method="POST")))
    ).code == "url_blocked"


async def test_a_run_that_has_waited_for_long_reads_media_of_its_account_by_expired_links(
    media_service: MediaService,
    strict: Egress,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asset = await kept(media_service, account, files.png(), "image/png")
    call = HttpCall(method="GET", url=media_service.lasting_link(asset), account_id=account.id)
    years_later = time.time() + 10**8
    monkeypatch.setattr(time, "time", lambda: years_later)

    way_out = OwnMedia(media_service, strict)

    assert (await way_out.fetch(call)).body == files.png()
    of_runner = structs.replace(call, account_id="runner", owner_id=account.id)
    assert (await failing(way_out.fetch(of_runner))).code == "asset_not_found"


async def test_media_of_a_node_are_stored_and_read_by_its_account_alone(
    media_service: MediaService, egress: Egress, account: Account
) -> None:
    assets = AccountMedia(media_service, egress, egress).for_execution("x", "")

    url = (await assets.keep(account.id, files.png(), "image/png")).url

    assert await assets.read(account.id, url, 1_000) == files.png()
    assert await assets.read(account.id, "https://example.com/a.png", 1_000) is None
    assert (await failing(assets.read(account.id, url, 5))).code == "response_too_large"
    assert (await failing(assets.read("another", url, 1_000))).code == "asset_not_found"


def upload(asset_id: str) -> Graph:
    graph = Graph().node("up", "upload", asset=asset_id).node("out", "responseOutput")
    return graph.wire("up.image-out > out.result-in")


async def test_an_upload_node_gives_a_link_and_keeps_its_asset_for_the_execution(
    runner: Runner, walker: Walker, media_service: MediaService, account: Account, store: Store
) -> None:
    asset = await kept(media_service, account, files.png(), "image/png")

    execution = await runner.run(upload(asset.id))

    (url,) = execution.result["images"]
    assert await media_service.find(url) == asset
    assert await store.assets.needed_by(asset.id) == (account.id, [execution.id])


@pytest.mark.A12
async def test_an_upload_node_finds_nothing_of_others(
    runner: Runner, walker: Walker, media_service: MediaService, account: Account
) -> None:
    foreign = await media_service.save(
        "another", "image/png", pieces(files.png()), source=AssetSource.UPLOAD
    )

    execution = await runner.run(upload(foreign.id))

    assert execution.status == "failed"
    (node,) = [each for each in execution.nodes if each.error]
    assert node.error["code"] == "asset_not_found"


async def test_an_edited_upload_is_kept_for_the_execution(
    runner: Runner, walker: Walker, media_service: MediaService, account: Account, store: Store
) -> None:
    asset = await kept(media_service, account, files.png(400, 200), "image/png")
    graph = Graph().node("up", "upload", asset=asset.id).node("out", "responseOutput")
    graph.node("small", "imageResize", width=40, height=20)
    graph.wire("up.image-out > small.image-in", "small.image-out > out.result-in")

    execution = await runner.run(graph)

    (url,) = execution.result["images"]
    made = await media_service.find(url)
    assert (made.account_id, made.width, made.height) == (account.id, 40, 20)
    assert await store.assets.needed_by(made.id) == (account.id, [execution.id])
