from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.contract.shapes import assert_fits, moment, number
from tests.support.gateway.documents import edge, node
from tests.support.media import files

ASSET = {
    "id": str,
    "url": str,
    "contentType": str,
    "bytes": int,
    "width?": int,
    "height?": int,
    "durationMs?": number,
    "createdAt": moment,
    "expiresAt": moment,
}


def upload(caller: Caller, data: bytes, kind: str) -> httpx2.Response:
    return caller.request("POST", "/api/assets", content=data, headers={"content-type": kind})


def followed(caller: Caller, url: str) -> httpx2.Response:
    parts = urlsplit(url)
    return caller.get(f"{parts.path}?{parts.query}", headers={"x-api-key": ""})


def show(kind: str) -> dict[str, object]:
    nodes = [form(field("medium", kind, required=True)), node("out", "responseOutput")]
    return workflow(nodes, [edge("in", "medium", "out", "result-in")])


def test_raw_bytes_and_a_form_both_make_an_asset(caller: Caller) -> None:
    raw = upload(caller, files.png(), "image/png")
    formed = caller.request(
        "POST", "/api/assets", files={"file": ("a.wav", files.wav(), "audio/wav")}
    )

    assert (raw.status_code, formed.status_code) == (201, 201)
    assert_fits(raw.json(), ASSET | {"contentType": "image/png", "width": 40, "height": 30})
    assert_fits(formed.json(), ASSET | {"contentType": "audio/wav", "durationMs": 500})


def test_an_owner_gets_the_same_with_a_fresh_link(caller: Caller, stranger: Caller) -> None:
    asset = upload(caller, files.png(), "image/png").json()

    own, foreign = [each.get(f"/api/assets/{asset['id']}") for each in (caller, stranger)]
    unknown = caller.get(f"/api/assets/{'0' * 24}")
    small = caller.get(f"/api/assets/{asset['id']}?w=100").json()

    assert_fits(own.json(), ASSET)
    assert own.json() | {"url": ""} == asset | {"url": ""}
    assert "?w=128&" in small["url"]
    for answer in (foreign, unknown):
        assert (answer.status_code, answer.json()["code"]) == (404, "ASSET_NOT_FOUND")
    for width in (63, 1025):
        answer = caller.get(f"/api/assets/{asset['id']}?w={width}")
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<svg/>", "image/svg+xml"),
        (b"<!doctype html>", "image/png"),
        (b"<!doctype html>", "application/xhtml+xml"),
        (b"PK\x03\x04", "application/zip"),
        (files.png(), "image/jpeg"),
        (files.png_head(65_535, 65_535), "image/png"),
    ],
)
def test_a_type_that_is_not_allowed_is_415(caller: Caller, data: bytes, kind: str) -> None:
    answer = upload(caller, data, kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_link_gives_the_file_or_one_range_of_it(caller: Caller) -> None:
    asset = upload(caller, files.png(), "image/png").json()
    parts = urlsplit(asset["url"])
    path = f"{parts.path}?{parts.query}"

    whole, part = caller.get(path), caller.get(path, headers={"range": "bytes=1-3"})
    beyond = caller.get(path, headers={"range": "bytes=999999-"})

    assert (whole.status_code, whole.content) == (200, files.png())
    assert (part.status_code, part.content) == (206, b"PNG")
    assert beyond.status_code == 416
    assert whole.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("kind", "data", "content_type"),
    [
        ("image", files.png(), "image/png"),
        ("audio", files.wav(), "audio/wav"),
        ("video", files.mp4(), "video/mp4"),
    ],
)
def test_a_media_field_takes_an_asset_id_or_a_url(
    caller: Caller, kind: str, data: bytes, content_type: str
) -> None:
    slug = caller.save(show(kind))
    asset = upload(caller, data, content_type).json()

    by_id = caller.run(slug, {"medium": asset["id"]}).json()["result"]
    by_url = caller.run(slug, {"medium": "https://example.com/m"}).json()["result"]

    (url,) = by_id[f"{kind}s"]
    assert followed(caller, url).content == data
    assert by_url == {f"{kind}s": ["https://example.com/m"]}


def test_a_media_field_takes_no_foreign_asset_and_none_of_another_kind(
    caller: Caller, stranger: Caller
) -> None:
    slug = caller.save(show("image"))
    foreign = upload(stranger, files.png(), "image/png").json()["id"]
    sound = upload(caller, files.wav(), "audio/wav").json()["id"]
    wrong = (foreign, "0" * 24, sound, "../../etc/passwd", "0" * 23)

    answers = [caller.run(slug, {"medium": each}) for each in wrong]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUTS")
        assert answer.json()["field"] == "medium"
    assert answers[0].json() == answers[1].json()


def test_an_upload_node_gives_the_owners_asset(caller: Caller, stranger: Caller) -> None:
    def showing(asset_id: str) -> dict[str, object]:
        nodes = [
            node("up", "upload", asset=asset_id),
            node("out", "responseOutput"),
        ]
        return workflow(nodes, [edge("up", "image-out", "out", "result-in")])

    own, foreign = [
        upload(each, files.png(), "image/png").json()["id"] for each in (caller, stranger)
    ]

    good = caller.run(caller.save(showing(own)), {})
    bad = [caller.create(showing(each)) for each in (foreign, "0" * 24)]

    assert followed(caller, good.json()["result"]["images"][0]).content == files.png()
    for answer in bad:
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
        assert [each["nodeId"] for each in answer.json()["problems"]] == ["up"]
