"""Documents as assets, as inputs of runs and as results."""

from urllib.parse import urlsplit

import httpx2
import pytest

from engine.media.documents.types import DOCX, EXTENSIONS, HTML, JSON, PDF, PLAIN, TEXTS
from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.contract.shapes import assert_fits, moment
from tests.support.documents.samples import archive, of_each_kind, office, pdf, samples
from tests.support.gateway.documents import edge, node
from tests.support.media import files

ASSET = {
    "id": str,
    "url": str,
    "contentType": str,
    "bytes": int,
    "createdAt": moment,
    "expiresAt": moment,
}
SAMPLES = samples()
MEDIA = of_each_kind()


def upload(caller: Caller, data: bytes, content_type: str) -> httpx2.Response:
    headers = {"content-type": content_type}
    return caller.request("POST", "/api/assets", content=data, headers=headers)


def sent(caller: Caller, file_name: str, data: bytes, content_type: str) -> httpx2.Response:
    """Store a file by a form, as a browser does."""
    part = {"file": (file_name, data, content_type)}
    return caller.request("POST", "/api/assets", files=part)


def followed(caller: Caller, url: str) -> httpx2.Response:
    parts = urlsplit(url)
    return caller.get(f"{parts.path}?{parts.query}", headers={"x-api-key": ""})


def showing(kind: str) -> dict[str, object]:
    nodes = [form(field("medium", kind, required=True)), node("out", "responseOutput")]
    return workflow(nodes, [edge("in", "medium", "out", "result-in")])


# -- assets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", SAMPLES)
def test_a_file_of_each_type_is_stored_and_served_as_an_attachment(
    caller: Caller, content_type: str
) -> None:
    data = SAMPLES[content_type]

    answer = upload(caller, data, content_type)

    assert answer.status_code == 201, answer.text
    asset = answer.json()
    assert_fits(asset, ASSET | {"contentType": content_type, "bytes": len(data)})
    read = followed(caller, asset["url"])
    assert (read.status_code, read.content) == (200, data)
    name = f"{asset['id']}.{EXTENSIONS[content_type]}"
    assert read.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert read.headers["x-content-type-options"] == "nosniff"
    served = read.headers["content-type"].partition(";")[0]
    assert served == (PLAIN if content_type == HTML else content_type)


def test_a_page_is_served_as_a_text(caller: Caller) -> None:
    asset = upload(caller, SAMPLES[HTML], HTML).json()

    read = followed(caller, asset["url"])

    assert asset["contentType"] == HTML
    assert read.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("content_type", sorted(TEXTS))
def test_the_name_of_a_file_tells_the_type_of_a_text(caller: Caller, content_type: str) -> None:
    data, file_name = SAMPLES[content_type], f"x.{EXTENSIONS[content_type]}"

    answer = sent(caller, file_name, data, "application/octet-stream")

    assert (answer.status_code, answer.json()["contentType"]) == (201, content_type)


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        (SAMPLES[PDF], DOCX),
        (SAMPLES[DOCX], PDF),
        (SAMPLES[PDF], PLAIN),
        (files.png(), PDF),
        (files.png(), JSON),
        (SAMPLES[PLAIN], PDF),
        (b"a\0b", PLAIN),
        ("Grüße".encode("latin-1"), PLAIN),
        ("text".encode("utf-16"), PLAIN),
        (SAMPLES[PLAIN], "application/octet-stream"),
        (office(DOCX, "word/vbaProject.bin"), DOCX),
        (archive(["a.txt"]), DOCX),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_type_that_the_content_contradicts_is_415(
    caller: Caller, data: bytes, declared: str
) -> None:
    answer = upload(caller, data, declared)

    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


# -- inputs and results ---------------------------------------------------------------------------


def test_a_result_that_is_one_file_is_a_list_of_files(caller: Caller) -> None:
    slug = caller.save(showing("file"))
    asset = upload(caller, SAMPLES[PDF], PDF).json()

    by_id = caller.run(slug, {"medium": asset["id"]}).json()["result"]
    by_url = caller.run(slug, {"medium": "https://example.com/a.pdf"}).json()["result"]

    (url,) = by_id["files"]
    assert list(by_id) == ["files"]
    assert followed(caller, url).content == SAMPLES[PDF]
    assert by_url == {"files": ["https://example.com/a.pdf"]}


@pytest.mark.parametrize("given", MEDIA)
@pytest.mark.parametrize("kind", MEDIA)
def test_a_field_takes_media_of_its_own_kind_alone(caller: Caller, kind: str, given: str) -> None:
    slug = caller.save(showing(kind))
    asset_id = upload(caller, *MEDIA[given]).json()["id"]

    answer = caller.run(slug, {"medium": asset_id})

    if kind == given:
        assert list(answer.json()["result"]) == [f"{kind}s"]
        return
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUTS")
    assert answer.json()["field"] == "medium"


# -- pictures of pages ----------------------------------------------------------------------------


def test_a_page_of_a_pdf_has_a_picture(caller: Caller) -> None:
    asset_id = upload(caller, pdf("First", "Second"), PDF).json()["id"]

    links = [
        caller.get(f"/api/assets/{asset_id}?w=100{page}").json()["url"]
        for page in ("", "&page=1", "&page=2", "&page=3")
    ]
    default, first, second, behind = [followed(caller, each) for each in links]

    assert [each.status_code for each in (default, first, second)] == [200, 200, 200]
    assert default.headers["content-type"] == "image/webp"
    assert default.content == first.content != second.content
    assert "page=" not in links[1]
    assert (behind.status_code, behind.json()["code"]) == (404, "ASSET_NOT_FOUND")
    forged = followed(caller, links[2].replace("page=2", "page=1"))
    assert (forged.status_code, forged.json()["code"]) == (404, "ASSET_NOT_FOUND")


@pytest.mark.parametrize("query", ["w=100&page=0", "w=100&page=21", "w=100&page=x", "page=2"])
def test_a_page_is_one_of_the_first_twenty(caller: Caller, query: str) -> None:
    asset_id = upload(caller, SAMPLES[PDF], PDF).json()["id"]

    answer = caller.get(f"/api/assets/{asset_id}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == "page"


def test_other_documents_and_pages_of_images_have_no_pictures(caller: Caller) -> None:
    wrong = [upload(caller, SAMPLES[each], each).json()["id"] for each in (DOCX, JSON)]
    image = upload(caller, files.png(), "image/png").json()["id"]
    broken = upload(caller, b"%PDF-1.7 and no more", PDF).json()["id"]

    answers = [caller.get(f"/api/assets/{each}?w=100") for each in wrong]
    answers.append(caller.get(f"/api/assets/{image}?w=100&page=2"))
    answers.append(followed(caller, caller.get(f"/api/assets/{broken}?w=100").json()["url"]))

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_no_picture_stays_behind_when_its_asset_is_gone(caller: Caller) -> None:
    asset_id = upload(caller, SAMPLES[PDF], PDF).json()["id"]
    link = caller.get(f"/api/assets/{asset_id}?w=100").json()["url"]
    assert followed(caller, link).status_code == 200

    assert caller.request("DELETE", f"/api/assets/{asset_id}").status_code == 200

    assert followed(caller, link).status_code == 404
