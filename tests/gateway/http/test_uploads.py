import os
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from engine.media import objects
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.gateway.uploads import local, refused, upload
from tests.support.media import files
from tests.support.process.cpu_time import cpu_limit

MAX_BYTES = 3_000_000
PNG = {"content-type": "image/png"}
FORM = {"content-type": "multipart/form-data; boundary=b"}
PART = 'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png'


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, max_asset_bytes=MAX_BYTES)


def form(head: str, data: bytes, end: str = "\r\n--b--\r\n") -> bytes:
    return f"--b\r\n{head}\r\n\r\n".encode() + data + end.encode()


async def test_a_file_is_stored_and_told_of(client: httpx2.AsyncClient) -> None:
    data = files.png()

    asset = await upload(client, data)

    assert asset.keys() == {
        *("id", "url", "contentType", "bytes", "width", "height", "createdAt", "expiresAt")
    }
    assert (asset["contentType"], asset["bytes"]) == ("image/png", len(data))
    assert (asset["width"], asset["height"]) == (40, 30)
    assert str(asset["url"]).startswith(f"http://127.0.0.1:8000/media/{asset['id']}?expires=")
    assert (await upload(client, files.wav(), "audio/wav"))["durationMs"] == 500


async def test_a_file_may_come_in_a_form(client: httpx2.AsyncClient) -> None:
    data = files.wav(2_000, 1_000_000)

    answer = await client.post("/api/assets", files={"file": ("x.wav", data, "audio/x-wav")})

    assert (answer.status_code, answer.json()["contentType"]) == (201, "audio/wav")
    assert (await client.get(local(answer.json()))).content == data


@pytest.mark.parametrize("encoding", ["idna", "undefined", "punycode"])
async def test_a_name_that_cannot_be_decoded_is_no_name(
    client: httpx2.AsyncClient, encoding: str
) -> None:
    head = f"form-data; name=\"file\"; filename*={encoding}''%ff.md"
    body = form(f"Content-Disposition: {head}\r\nContent-Type: text/plain", b"text")

    answer = await client.post("/api/assets", content=body, headers=FORM)

    assert (answer.status_code, answer.json()["contentType"]) == (201, "text/plain")


@pytest.mark.parametrize("size", [1, 3, 7, 64])
async def test_a_form_is_read_however_it_is_cut(client: httpx2.AsyncClient, size: int) -> None:
    data = files.png()
    body = form(PART, data)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    answer = await client.post("/api/assets", content=pieces(), headers=FORM)

    assert answer.status_code == 201, answer.text
    assert (await client.get(local(answer.json()))).content == data


async def test_bytes_behind_the_end_of_a_form_are_ignored(client: httpx2.AsyncClient) -> None:
    body = form(PART, files.png(), "\r\n--b--\r\nmore")

    answer = await client.post("/api/assets", content=body, headers=FORM)

    assert (await client.get(local(answer.json()))).content == files.png()


@pytest.mark.A53
@pytest.mark.parametrize("name", files.wrong_files())
async def test_what_is_not_taken_is_415(client: httpx2.AsyncClient, name: str) -> None:
    kind, data = files.wrong_files()[name]

    raw = await client.post("/api/assets", content=data, headers={"content-type": kind})
    formed = await client.post("/api/assets", files={"file": ("x", data, kind)})

    refused(raw, 415, "UNSUPPORTED_MEDIA_TYPE")
    refused(formed, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.A53
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "multipart/form-data"}, form(PART, b"x")),
        ({"content-type": "multipart/mixed; boundary=b"}, form(PART, b"x")),
        ({"content-type": "multipart/form-data; boundary=b; boundary=c"}, form(PART, b"x")),
        ({"content-type": f"multipart/form-data; boundary={'b' * 80}"}, form(PART, b"x")),
        (FORM, b""),
        (FORM, b'{"files": [{"path": "/etc/passwd"}]}'),
        (FORM, b"--b--\r\n"),
        (FORM, b"--b\r\n" + b"X: y\r\n" * 2_000),
        (FORM, form(PART.replace('name="file"', 'name="other"'), files.png())),
        (FORM, form(PART.replace("form-data", "attachment"), files.png())),
        (FORM, form("Content-Type: image/png", files.png())),
        (FORM, form(PART.replace('name="file"', 'name="other"; name="file"'), files.png())),
        (FORM, form(PART.replace('name="file"', "x=file"), files.png())),
        (FORM, form("Content-Disposition: form-data" + "; " * 1_900, files.png())),
        (FORM, form("Content-Disposition: form-data" + " " * 3_900, files.png())),
        (FORM, form("Content-Disposition: form-data" + ";name= " * 500, files.png())),
        (FORM, form(f"{PART}\r\n{PART}", files.png())),
        (FORM, form(PART, files.png(), "")),
        (FORM, form(PART, files.png(), "\r\n--b")),
        (FORM, form(PART, b"\r\n--bX" * 400_000)),
        (FORM, form(PART, b"\r\n--b-" * 400_000)),
        (FORM, form(PART, b"\r\n--b\r" * 400_000)),
        (FORM, form(PART, files.png(), "\r\n--bX")),
        (FORM, form(PART, files.png(), "\r\n--b-")),
        (FORM, form("X: y\r\n" * 8 + PART, files.png())),
        (FORM, form("X-Y\r\n" + PART, files.png())),
        (FORM, form(PART, files.png(), f"\r\n--b\r\n{PART}\r\n\r\nx\r\n--b--\r\n")),
        ({**PNG, "content-encoding": "gzip"}, files.png()),
    ],
)
async def test_a_form_that_is_not_one_file_is_400(
    client: httpx2.AsyncClient, tmp_path: Path, headers: dict[str, str], body: bytes
) -> None:
    with cpu_limit(0.2):
        answer = await client.post("/api/assets", content=body, headers=headers)

    refused(answer, 400, "INVALID_BODY")
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_an_upload_says_once_what_it_is(client: httpx2.AsyncClient) -> None:
    async def nothing_said() -> AsyncIterator[bytes]:
        yield files.png()

    bare = await client.post("/api/assets", content=nothing_said())
    twice = await client.post(
        "/api/assets",
        content=files.png(),
        headers=[("content-type", "image/png"), ("content-type", "image/jpeg")],
    )

    usual = {"content-type": "application/x-www-form-urlencoded"}
    form = await client.post("/api/assets", content=files.png(), headers=usual)

    for answer in (bare, twice, form):
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
        assert "one Content-Type header" in answer.json()["error"]
        assert "'application/octet-stream' when nobody knows" in answer.json()["error"]


@pytest.mark.parametrize("over", [1_000, 30_000])
@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_file_over_the_limit_is_413(
    client: httpx2.AsyncClient, is_announced: bool, over: int
) -> None:
    data = files.wav(MAX_BYTES + over, 1_000)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 65_536):
            yield data[start : start + 65_536]

    answer = await client.post(
        "/api/assets",
        content=data if is_announced else pieces(),
        headers={"content-type": "audio/wav"},
    )

    refused(answer, 413, "BODY_TOO_LARGE")
    assert answer.json()["limit"] == MAX_BYTES
    assert f" {MAX_BYTES} bytes" in answer.json()["error"]


async def test_other_bodies_keep_their_own_limit(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/workflows", json={"name": "x" * 1_100_000})

    refused(answer, 413, "BODY_TOO_LARGE")
    assert answer.json()["limit"] == 1_048_576


async def test_whoever_may_not_run_may_not_upload(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    _, secret = await store.api_keys.create(account, name="r", capabilities=["workflow:read"])
    reader, nobody = await make_client(secret), await make_client()

    refused(
        await reader.post("/api/assets", content=files.png(), headers=PNG), 403, "CAPABILITY_DENIED"
    )
    assert (await nobody.post("/api/assets", content=b"", headers=PNG)).status_code == 401


@pytest.mark.A53
async def test_a_browser_uploads_by_a_form_alone(browser: httpx2.AsyncClient) -> None:
    formed = await browser.post("/api/assets", files={"file": ("a.png", files.png(), "image/png")})
    raw = await browser.post("/api/assets", content=files.png(), headers=PNG)

    assert formed.status_code == 201
    refused(raw, 403, "CSRF_FAILED")


async def test_a_place_that_is_gone_is_503(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("no folder")

    answer = await client.post("/api/assets", content=files.png(), headers=PNG)

    refused(answer, 503, "UNAVAILABLE")
    assert "retry-after" in answer.headers
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize("milliseconds", [1, 700])
async def test_a_place_that_does_not_answer_is_503_in_time_and_takes_uploads_when_it_does(
    client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    milliseconds: int,
) -> None:
    sound, answers_again, sync = files.wav(milliseconds, 1_000_000), threading.Event(), os.fsync

    def hang(descriptor: int) -> None:
        answers_again.wait(30)
        sync(descriptor)

    monkeypatch.setattr(objects, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(os, "fsync", hang)
    began = time.monotonic()

    answer = await client.post("/api/assets", content=sound, headers={"content-type": "audio/wav"})

    elapsed = time.monotonic() - began
    answers_again.set()
    refused(answer, 503, "UNAVAILABLE")
    assert (answer.headers["retry-after"], elapsed < 20) == ("2", True)
    page = (await client.get("/api/assets")).json()
    assert (page["rows"], page["bytes"]) == ([], 0)
    monkeypatch.setattr(objects, "STALL_SECONDS", 30)
    assert (await upload(client, sound, "audio/wav"))["bytes"] == len(sound)
