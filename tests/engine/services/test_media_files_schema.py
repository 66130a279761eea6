"""Files wait until the schema of the store is raised: release 0.2.0 cannot read their records."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.errors import Unavailable
from engine.media.documents.types import PDF
from engine.media.formats import UNTYPED
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from engine.store.redis import installation, keyspace
from engine.store.schema import FILES_SCHEMA
from tests.support.eventually import eventually
from tests.support.media import documents, files


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


async def set_schema(store: Store, schema: int) -> None:
    await store.client.send("HSET", keyspace.installation(), "schema", schema)

    async def is_noticed() -> bool:
        await store.ping()
        return store.schema.allows(FILES_SCHEMA) is (schema >= FILES_SCHEMA)

    await eventually(is_noticed, bool)


@pytest.mark.parametrize("source", AssetSource)
@pytest.mark.parametrize("declared", [PDF, UNTYPED])
async def test_no_file_is_stored_before_migrate(
    media_service: MediaService,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    source: AssetSource,
    declared: str,
) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)
    await set_schema(store, FILES_SCHEMA - 1)

    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        yield data

    with pytest.raises(Unavailable, match="headrace migrate"):
        await media_service.save(account.id, declared, pieces(documents.pdf()), source=source)
    picture = await media_service.save(account.id, "image/png", pieces(files.png()), source=source)

    page = await media_service.page(account.id, limit=10)
    assert [each.id for each in page.assets] == [picture.id]
    await set_schema(store, FILES_SCHEMA)
    stored = await media_service.save(account.id, declared, pieces(documents.pdf()), source=source)
    assert stored.content_type == PDF
