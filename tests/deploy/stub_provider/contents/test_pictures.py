"""Pictures that the stub draws."""

import base64
import io
from typing import Any

from PIL import Image
from starlette.testclient import TestClient

PICTURES = "/v1/images/generations"


def open_picture(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def test_pictures_can_be_as_large_as_real_ones(stub: TestClient) -> None:
    payload = {"model": "m", "prompt": "A cat", "size": "64x64"}

    small, large = (
        base64.b64decode(stub.post(PICTURES, json=payload | more).json()["data"][0]["b64_json"])
        for more in ({}, {"prompt": "A cat [[stub bytes=2000000]]"})
    )
    refused = stub.post(PICTURES, json=payload, headers={"x-stub": "bytes=99999999"})

    assert len(small) < 100_000
    assert 2_000_000 <= len(large) < 2_000_100
    assert open_picture(large).tobytes() == open_picture(small).tobytes()
    assert refused.status_code == 400


def test_pictures_are_real_and_another_prompt_or_seed_gives_another_one(stub: TestClient) -> None:
    def make(**body: Any) -> list[str]:
        payload = {"model": "m", "size": "96x64", **body}
        return [each["b64_json"] for each in stub.post(PICTURES, json=payload).json()["data"]]

    first = make(prompt="cat", n=2)
    again = make(prompt="cat", n=2)
    others = [*make(prompt="dog"), *make(prompt="cat", seed=7)]

    assert first == again
    assert len({*first, *others}) == 4
    picture = open_picture(base64.b64decode(first[0]))
    assert (picture.format, picture.size) == ("PNG", (96, 64))


def test_a_picture_that_would_be_larger_keeps_its_shape(stub: TestClient) -> None:
    body = {"model": "m", "prompt": "cat", "size": "1536x1024"}

    reply = stub.post(PICTURES, json=body).json()

    picture = open_picture(base64.b64decode(reply["data"][0]["b64_json"]))
    assert picture.size == (1024, 682)
    assert reply["size"] == "1024x682"


def test_the_word_stub_is_drawn_into_a_picture(stub: TestClient) -> None:
    body = {"model": "m", "prompt": "cat", "size": "32x32"}

    reply = stub.post(PICTURES, json=body).json()

    picture = open_picture(base64.b64decode(reply["data"][0]["b64_json"])).convert("RGB")
    row = [picture.getpixel((x, 13)) == (255, 255, 255) for x in range(9, 24)]
    assert "".join("#" if dot else "." for dot in row) == "###.###.#.#.#.."
