import asyncio
import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest

from engine.ids.partitions import partition_of
from engine.media.pictures import store as pictures
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.engine.media.test_links import BAD_IDS
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import edge, node
from tests.support.gateway.uploads import local, refused, upload
from tests.support.media import files
from tests.support.process.cpu_time import cpu_limit, cpu_time

LARGE = files.png(64, 64)

# -- finding again --------------------------------------------------------------------------------


@pytest.mark.A51
async def test_foreign_unknown_and_impossible_ids_are_one(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    asset = await upload(client)
    foreign = await strangers_client.get(f"/api/assets/{asset['id']}")

    refused(foreign, 404, "ASSET_NOT_FOUND")
    for bad in ("0" * 24, *("".join(f"%{byte:02x}" for byte in each.encode()) for each in BAD_IDS)):
        answer = await client.get(f"/api/assets/{bad}")
        assert answer.status_code == 404
        assert answer.json()["code"] in ("ASSET_NOT_FOUND", "NOT_FOUND")
        assert (await client.get(f"/media/{bad}?expires=1&signature=x")).status_code == 404


# -- serving --------------------------------------------------------------------------------------


@pytest.mark.A59
async def test_a_link_gives_the_file_under_headers_that_let_a_browser_do_nothing_else(
    client: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    asset = await upload(client)
    anybody = await make_client()

    answer = await anybody.get(local(asset), headers={"cookie": "headrace_session=x"})

    assert (answer.status_code, answer.content) == (200, files.png())
    headers = answer.headers
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(asset["bytes"])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["content-disposition"] == f'inline; filename="{asset["id"]}.png"'
    assert headers["accept-ranges"] == "bytes"
    assert headers["cache-control"].startswith("private, max-age=")
    assert "set-cookie" not in headers


NAMES = (
    *('a"\r\nSet-Cookie: x=1\r\n\r\n<script>.svg', "a\nb.html", 'a"; filename="b.exe', "a\\.png"),
    *("../../etc/passwd", "C:\\x.exe", "con", ".htaccess", "a\0.png", "a.png.html", "x" * 2_000),
    *(
        "жук.png",
        "\u202egnp.exe",
        "a%0d%0aSet-Cookie: x=1",
        "=?utf-8?Q?=0D=0A?=",
        "a;b,c",
        "' or 1=1",
    ),
    *("filename*=UTF-8''x.html", "", " ", "{{7*7}}", "${jndi:ldap://x}", "a; name=b.png"),
)


def spelt(name: str) -> Iterator[str]:
    """Return a file's name as a form may spell it."""
    quoted = name.encode("unicode_escape").decode().replace('"', "%22")
    yield f'filename="{quoted}"'
    yield f"filename*=UTF-8''{quote(name, safe='')}"


@pytest.mark.A65
@pytest.mark.A59
async def test_a_file_that_was_given_a_name_is_sent_under_ours(client: httpx2.AsyncClient) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    for spelling in (each for name in NAMES for each in spelt(name)):
        head = f'Content-Disposition: form-data; name="file"; {spelling}\r\nContent-Type: image/png'
        body = f"--b\r\n{head}\r\n\r\n".encode() + files.png() + b"\r\n--b--\r\n"

        answer = await client.post("/api/assets", content=body, headers=kind)
        got = await client.get(local(answer.json()))

        asset_id = answer.json()["id"]
        assert got.headers["content-disposition"] == f'inline; filename="{asset_id}.png"'
        assert "set-cookie" not in got.headers


@pytest.mark.A59
async def test_a_file_of_a_type_that_is_no_longer_taken_is_for_saving_alone(
    client: httpx2.AsyncClient, store: Store
) -> None:
    for kind in ("image/bmp", "image/svg+xml", "video/html", "image/png\r\nX-Evil: 1"):
        asset = await upload(client)
        key = keyspace.asset(partition_of(str(asset["id"])), str(asset["id"]))
        await store.client.send("HSET", key, "type", kind)

        got = await client.get(local(asset))

        assert got.headers["content-type"] == "application/octet-stream"
        name = f'attachment; filename="{asset["id"]}.bin"'
        assert got.headers["content-disposition"] == name
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert "x-evil" not in got.headers


@pytest.mark.A59
async def test_a_range_of_ten_thousand_parts_takes_no_time(client: httpx2.AsyncClient) -> None:
    asset = await upload(client)
    many = "bytes=" + ",".join(["0-"] * 10_000)
    times = []

    for _ in range(10):
        with cpu_time() as measured:
            answer = await client.get(local(asset), headers={"range": many})
        times.append(measured.seconds)

        assert (answer.status_code, answer.content) == (200, files.png())
        assert "content-range" not in answer.headers
    larger = await client.get(local(asset), headers={"range": f"{many},{many}"})

    assert min(times) < 0.2
    assert larger.status_code == 431


@pytest.mark.A59
async def test_two_ranges_in_two_headers_are_none(client: httpx2.AsyncClient) -> None:
    asset = await upload(client)
    twice = [("range", "bytes=0-3"), ("range", "bytes=5-6")]

    answer = await client.get(local(asset), headers=twice)

    assert (answer.status_code, answer.content) == (200, files.png())


async def test_what_a_head_says_a_get_holds(client: httpx2.AsyncClient) -> None:
    asset = await upload(client)

    head, get = await client.head(local(asset)), await client.get(local(asset))

    assert (head.status_code, head.content) == (200, b"")
    ours = {"date", "x-request-id", "cache-control"}
    assert {k: v for k, v in head.headers.items() if k not in ours} == {
        k: v for k, v in get.headers.items() if k not in ours
    }


@pytest.mark.A59
@pytest.mark.parametrize(
    ("payload", "status", "start", "end"),
    [
        ("bytes=0-3", 206, 0, 4),
        ("bytes=10-", 206, 10, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=0-999999", 206, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("bytes=" + ",".join(f"{each}-" for each in range(5_000)), 200, 0, None),
        ("bytes=5-1", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=99999-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
    ],
)
async def test_one_range_is_given_and_all_else_is_the_whole(
    client: httpx2.AsyncClient, payload: str, status: int, start: int, end: int | None
) -> None:
    asset, data = await upload(client), files.png()

    with cpu_limit(1):
        answer = await client.get(local(asset), headers={"range": payload})

    assert (answer.status_code, answer.content) == (status, data[start:end])
    if status == 206:
        first = start % len(data)
        stated = f"bytes {first}-{first + len(answer.content) - 1}/{len(data)}"
        assert answer.headers["content-range"] == stated
    elif status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(data)}"


async def test_what_a_cache_has_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    asset = await upload(client)
    etag = (await client.get(local(asset))).headers["etag"]

    same = await client.get(local(asset), headers={"if-none-match": etag})
    part = await client.get(local(asset), headers={"range": "bytes=0-3", "if-range": etag})
    other = await client.get(local(asset), headers={"range": "bytes=0-3", "if-range": '"x"'})

    assert (same.status_code, same.content) == (304, b"")
    assert (part.status_code, other.status_code) == (206, 200)


async def test_a_link_that_is_not_ours_or_not_good_any_more_is_404(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asset, other = await upload(client), await upload(strangers_client)
    path, query = local(asset).split("?")

    for changed in (
        path,
        f"{path}?{query}0",
        f"{path}?w=64&{query}",
        f"/media/{other['id']}?{query}",
        f"{path}?{query.replace('expires=1', 'expires=2')}",
    ):
        refused(await client.get(changed), 404, "ASSET_NOT_FOUND")
    later = time.time() + 86_500
    monkeypatch.setattr(time, "time", lambda: later)
    expired = await client.get(f"{path}?{query}")
    refused(expired, 404, "ASSET_NOT_FOUND")
    assert "expired" in expired.json()["error"]


async def test_a_smaller_picture_is_sent_as_what_it_is(client: httpx2.AsyncClient) -> None:
    asset = await upload(client, files.picture("JPEG", 900, 600), "image/jpeg")
    small = (await client.get(f"/api/assets/{asset['id']}?w=200")).json()

    first, again = await client.get(local(small)), await client.get(local(small))

    assert (first.status_code, first.headers["content-type"]) == (200, "image/webp")
    assert first.content == again.content
    assert len(first.content) < int(str(asset["bytes"]))


@pytest.mark.parametrize(
    ("data", "kind"), [(files.wav(), "audio/wav"), (files.mp4(), "video/mp4"), (LARGE, "image/png")]
)
async def test_no_link_is_given_to_a_smaller_picture_that_cannot_be_made(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, data: bytes, kind: str
) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", len(LARGE) - 1)
    asset = await upload(client, data, kind)

    answer = await client.get(f"/api/assets/{asset['id']}?w=256")

    refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.json()["error"] == pictures.ONLY_IMAGES
    assert (await client.get(f"/api/assets/{asset['id']}")).status_code == 200


# -- using ----------------------------------------------------------------------------------------


async def save_photo(client: httpx2.AsyncClient) -> None:
    fields = [{"name": "photo", "type": "image", "required": True}]
    document = {
        "name": "Photo",
        "nodes": [node("in", "requestInput", fields=fields), node("out", "responseOutput")],
        "edges": [edge("in", "photo", "out", "result-in")],
    }
    assert (await client.post("/api/workflows", json=document)).status_code == 201


async def test_what_an_upload_node_cannot_give_is_told_at_save(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    own, foreign = await upload(client), await upload(strangers_client)
    nodes = [
        node("own", "upload", asset=own["id"]),
        node("foreign", "upload", asset=foreign["id"]),
        node("unknown", "upload", asset="0" * 24),
        node("film", "upload", asset=own["id"]),
        node("odd", "upload", asset=[1]),
    ]
    nodes[3]["data"]["kind"] = "video"
    document = {"name": "Show", "nodes": nodes, "edges": []}

    refused = await client.post("/api/workflows", json=document)
    draft = await client.post("/api/workflows", json={**document, "draft": True})
    ran = await client.post("/api/workflows/show/run", json={"inputs": {}})
    changed = await client.put("/api/workflows/show", json={"draft": False})
    right = await client.put("/api/workflows/show", json={"nodes": nodes[:1], "draft": False})

    reported = [
        {"nodeId": "odd", "reason": "asset must be the id of an asset"},
        {"nodeId": "foreign", "reason": "asset names no asset of yours"},
        {"nodeId": "unknown", "reason": "asset names no asset of yours"},
        {"nodeId": "film", "reason": "kind is video, and the asset is image"},
    ]
    assert (refused.status_code, refused.json()["problems"]) == (400, reported)
    assert (draft.status_code, ran.status_code, ran.json()["problems"]) == (201, 409, reported)
    assert (changed.status_code, changed.json()["problems"]) == (400, reported)
    assert right.status_code == 200


async def test_what_a_workflow_names_is_kept_for_it(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    first, second = [await upload(client) for _ in range(2)]
    document = {
        "name": "Show",
        "nodes": [node("up", "upload", asset=first["id"]), node("out", "responseOutput")],
        "edges": [edge("up", "image-out", "out", "result-in")],
    }

    made = await client.post("/api/workflows", json=document)
    document["nodes"] = [node("up", "upload", asset=second["id"]), node("out", "responseOutput")]
    changed = await client.put("/api/workflows/show", json=document)
    odd = [node("a", "upload", asset=[1]), node("b", "upload", asset="0" * 24), node("c", "upload")]
    draft = {"name": "Odd", "draft": True, "nodes": odd, "edges": []}

    assert (made.status_code, changed.status_code) == (201, 200)
    assert (await client.post("/api/workflows", json=draft)).status_code == 201
    for asset in (first, second):
        assert await store.assets.needed_by(str(asset["id"])) == (account.id, ["workflow show"])


async def test_uploads_at_once_do_not_mix(client: httpx2.AsyncClient) -> None:
    datas = [files.wav(100 * number, 8_000) for number in range(1, 21)]

    assets = await asyncio.gather(*(upload(client, data, "audio/wav") for data in datas))
    got = await asyncio.gather(*(client.get(local(asset)) for asset in assets))

    assert [answer.content for answer in got] == datas
