"""Gemini's own protocol in the stub."""

import base64
import io
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

PATH = "/v1beta/models/gemini-any:generateContent"
KEY = {"x-goog-api-key": "k"}
PIXEL = {"mimeType": "image/png", "data": base64.b64encode(b"pixel").decode()}


def call(stub: TestClient, *images: Any, config: Any = None) -> Any:
    parts = [{"text": "A cat"}, *({"inlineData": image} for image in images)]
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": parts}]}
    if config:
        body["generationConfig"] = config
    return stub.post(PATH, json=body, headers=KEY)


def image_of(answer: Any) -> tuple[Image.Image, bytes]:
    [part] = answer.json()["candidates"][0]["content"]["parts"]
    assert part["inlineData"]["mimeType"] == "image/png"
    data = base64.b64decode(part["inlineData"]["data"])
    return Image.open(io.BytesIO(data)), data


def test_a_text_is_echoed_with_the_images_that_were_seen(stub: TestClient) -> None:
    reply = call(stub, PIXEL, PIXEL).json()

    [part] = reply["candidates"][0]["content"]["parts"]
    assert part == {"text": "(stub) A cat [2 images seen]"}
    assert reply["usageMetadata"]["totalTokenCount"] > 2_000
    assert stub.get("/stub/calls").json()["recent"][-1]["prompt"] == "A cat"


def test_an_image_is_of_the_size_that_is_asked_for_and_its_sources_decide_it(
    stub: TestClient,
) -> None:
    def make(*images: Any) -> tuple[Image.Image, bytes]:
        size = {"aspectRatio": "16:9", "imageSize": "1K"}
        return image_of(
            call(stub, *images, config={"responseModalities": ["IMAGE"], "imageConfig": size})
        )

    alone, one, two = make(), make(PIXEL), make(PIXEL, PIXEL)

    assert alone[0].size == one[0].size == (1024, 576)
    assert len({alone[1], one[1], two[1]}) == 3


@pytest.mark.parametrize(
    "image", [{"mimeType": "text/html", "data": "aGk="}, {"mimeType": "image/png", "data": "%"}, 7]
)
def test_inline_data_that_is_none_is_refused_in_googles_form(stub: TestClient, image: Any) -> None:
    answer = call(stub, image)

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(("headers", "status"), [({}, 403), ({"x-goog-api-key": "wrong"}, 400)])
def test_a_key_is_wanted(stub: TestClient, headers: dict[str, str], status: int) -> None:
    answer = stub.post(PATH, json={"contents": []}, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
