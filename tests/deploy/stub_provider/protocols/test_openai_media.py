"""OpenAI's images as the stub speaks them."""

import base64
import io
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

PICTURES = "/v1/images/generations"


def open_picture(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
def test_a_picture_by_url_is_served_in_the_format_asked_for(stub: TestClient, kind: str) -> None:
    body = {"model": "m", "prompt": "cat", "size": "128x128", "response_format": "url"}

    reply = stub.post(PICTURES, json={**body, "output_format": kind}).json()
    file = stub.get(reply["data"][0]["url"])

    assert file.headers["content-type"] == f"image/{kind}"
    picture = open_picture(file.content)
    assert (picture.format, picture.size) == (kind.upper(), (128, 128))


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"size": "big"},
        {"size": "0x10"},
        {"n": 0},
        {"n": 11},
        {"output_format": "x"},
    ],
)
def test_what_is_wrong_with_a_picture_is_said(stub: TestClient, wrong: dict[str, Any]) -> None:
    answer = stub.post(PICTURES, json={"model": "m", "prompt": "cat", **wrong})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == next(iter(wrong))


def test_an_edit_takes_a_form_with_a_file(stub: TestClient) -> None:
    def edit(data: bytes) -> str:
        answer = stub.post(
            "/v1/images/edits",
            data={"model": "m", "prompt": "make it blue", "size": "64x64", "n": "1"},
            files={"image[]": ("a.png", data, "image/png")},
        )
        assert answer.status_code == 200
        return str(answer.json()["data"][0]["b64_json"])

    made = edit(b"\x89PNG\r\n\x00one")

    assert open_picture(base64.b64decode(made)).size == (64, 64)
    assert edit(b"\x89PNG\r\n\x00two") != made


def test_an_edit_counts_its_images_and_tells_their_tokens(stub: TestClient) -> None:
    def edit(*names: tuple[int, str]) -> Any:
        files = [(name, ("a.png", b"\x89PNG\r\n" + bytes([n]), "image/png")) for n, name in names]
        return stub.post("/v1/images/edits", data={"model": "m", "prompt": "blue"}, files=files)

    one = edit(*enumerate(["image[]"])).json()
    three = edit(*enumerate(["image[]", "image[]", "image[]"])).json()
    masked = edit(*enumerate(["image[]", "mask"])).json()

    assert one["usage"]["input_tokens_details"]["image_tokens"] == 300
    assert three["usage"]["input_tokens_details"]["image_tokens"] == 900
    assert len({made["data"][0]["b64_json"] for made in (one, three, masked)}) == 3


@pytest.mark.parametrize(
    ("names", "data", "param"),
    [
        (["image[]"], b"GIF89a", "image"),
        (["image[]"] * 17, b"\xff\xd8\xff", "image"),
        (["image[]", "mask", "mask"], b"\x89PNG", "mask"),
        (["mask"], b"\x89PNG", "image"),
    ],
)
def test_files_that_cannot_be_edited_are_refused(
    stub: TestClient, names: list[str], data: bytes, param: str
) -> None:
    files = [(name, ("a.png", data, "image/png")) for name in names]

    answer = stub.post("/v1/images/edits", data={"model": "m", "prompt": "blue"}, files=files)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_edit_without_an_image_is_refused(stub: TestClient) -> None:
    answer = stub.post("/v1/images/edits", json={"model": "m", "prompt": "make it blue"})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "image")
