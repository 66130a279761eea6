import io
from pathlib import Path

import pytest

from headrace_client import ConnectionFailedError, NotFoundError
from headrace_client.core.assets import delete_asset, open_part, upload_asset
from tests.support.http.clients.fake_driver import FakeDriver, answer, broken

ASSET = {
    "id": "a1",
    "url": "https://example.org/a1",
    "contentType": "image/png",
    "bytes": 3,
    "createdAt": "2026-11-30T10:00:00.000Z",
    "expiresAt": None,
}


def test_a_file_is_a_path_bytes_or_open(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"png")
    with open_part(path, None, None) as part:
        assert (part.name, part.content_type) == ("cat.png", "image/png")
        assert not isinstance(part.content, bytes)
        assert part.content.read() == b"png"
        opened = part.content
    assert opened.closed
    with path.open("rb") as file, open_part(file, None, None) as part:
        assert (part.name, part.content is file) == ("cat.png", True)
    with open_part(io.BytesIO(b"x"), "a.mp3", None) as part:
        assert part.content_type == "audio/mpeg"
    with open_part(b"x", None, "image/webp") as part:
        assert (part.name, part.content_type) == ("file", "image/webp")


def test_an_upload_whose_answer_was_lost_is_not_sent_again() -> None:
    driver = FakeDriver([broken(was_sent=False), broken()])

    with pytest.raises(ConnectionFailedError):
        driver.drive(upload_asset(driver.session(), b"x", None, None))
    assert len(driver.requests) == 2


def test_an_upload_gives_the_asset() -> None:
    driver = FakeDriver([answer(201, ASSET)])

    asset = driver.drive(upload_asset(driver.session(), b"png", "a.png", None))

    assert (asset.id, asset.expires_at) == ("a1", None)


def test_an_asset_that_is_gone_is_an_error() -> None:
    driver = FakeDriver([answer(404, {"error": "No such asset", "code": "ASSET_NOT_FOUND"})])

    with pytest.raises(NotFoundError):
        driver.drive(delete_asset(driver.session(), "a1"))
