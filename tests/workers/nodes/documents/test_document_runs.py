"""Runs that read stored documents in a worker."""

from collections.abc import AsyncIterator

import pytest

from engine.media.documents.types import CSV, PDF, XLSX
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from tests.support.documents.office_files import xlsx
from tests.support.documents.small_pdf import small_pdf
from tests.support.factories import Graph, Runner
from workers.walk.walker import Walker

SHEET = xlsx('<row><c t="inlineStr"><is><t>Tons</t></is></c><c><v>18.5</v></c></row>')


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


async def stored(media_service: MediaService, account_id: str, kind: str, data: bytes) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        yield data

    asset = await media_service.save(account_id, kind, pieces(), source=AssetSource.UPLOAD)
    return asset.id


def reading(asset_id: str, *outputs: str) -> Graph:
    fields = [{"name": output.partition("-")[0]} for output in outputs]
    graph = Graph().node("file", "upload", asset=asset_id, kind="file").node("read", "documentText")
    graph.node("out", "responseOutput", fields=fields).wire("file.file-out > read.file-in")
    return graph.wire(*(f"read.{each} > out.{each.partition('-')[0]}" for each in outputs))


@pytest.mark.parametrize(
    ("kind", "data", "result"),
    [
        (PDF, small_pdf("One", "Two"), {"text": "One\n\nTwo", "pages": ["One", "Two"]}),
        (CSV, b"a;b\n1;2\n", {"text": "| a | b |\n| --- | --- |\n| 1 | 2 |"}),
        (XLSX, SHEET, {"tables": [[["Tons", 18.5]]]}),
    ],
)
async def test_a_stored_document_is_read(
    runner: Runner,
    walker: Walker,
    media_service: MediaService,
    account: Account,
    kind: str,
    data: bytes,
    result: dict[str, object],
) -> None:
    asset_id = await stored(media_service, account.id, kind, data)

    execution = await runner.run(reading(asset_id, *(f"{name}-out" for name in result)))

    assert execution.result == result


async def test_a_broken_document_fails_its_node_with_the_reason(
    runner: Runner, walker: Walker, media_service: MediaService, account: Account
) -> None:
    asset_id = await stored(media_service, account.id, PDF, b"%PDF-1.7\nnothing %%EOF")

    execution = await runner.run(reading(asset_id, "text-out"))

    (node,) = [each for each in execution.nodes if each.error]
    assert node.error["code"] == "document_unreadable"
    assert node.error["message"].startswith("The document is broken")
