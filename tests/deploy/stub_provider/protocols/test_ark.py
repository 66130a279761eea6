"""BytePlus ModelArk in the stub: images, and videos by tasks."""

import io
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

IMAGES = "/api/v3/images/generations"
TASKS = "/api/v3/contents/generations/tasks"
PICTURE = "data:image/png;base64,aGk="


def draw(stub: TestClient, **body: Any) -> Any:
    return stub.post(IMAGES, json={"model": "seedream", "prompt": "A cat", **body})


def film(stub: TestClient, script: str = "job=0", **body: Any) -> str:
    content = [{"type": "text", "text": "A cat"}]
    payload = {"model": "seedance", "content": content, **body}
    answer = stub.post(TASKS, json=payload, headers={"x-stub": script})
    assert answer.status_code == 200
    return str(answer.json()["id"])


def marks_of(picture: Image.Image) -> int:
    """Return the white marks that count a picture's sources."""
    cell = picture.width / 32
    dots = [picture.getpixel((int((x + 0.5) * cell), int(22.5 * cell))) for x in range(0, 32, 2)]
    return sum(dot == (255, 255, 255) for dot in dots)


@pytest.mark.parametrize("given", [0, 1, 3])
def test_an_image_counts_the_images_that_it_was_made_from(stub: TestClient, given: int) -> None:
    images = {"image": [PICTURE] * given} if given else {}

    reply = draw(stub, **images, output_format="png").json()

    made = stub.get(reply["data"][0]["url"])
    picture = Image.open(io.BytesIO(made.content)).convert("RGB")
    assert picture.size == (1024, 1024)
    assert (marks_of(picture) == given) if given else marks_of(picture) < 16
    assert reply["usage"]["generated_images"] == 1


@pytest.mark.parametrize("image", ["ftp://a.example/1.png", "data:text/plain;base64,aGk=", [5], 7])
def test_an_image_that_is_no_url_of_one_is_refused_in_arks_form(
    stub: TestClient, image: Any
) -> None:
    answer = draw(stub, image=image)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidParameter")


def test_a_task_ends_with_a_video_and_its_tokens(stub: TestClient) -> None:
    task = film(stub, duration=4, resolution="480p")

    reply = stub.get(f"{TASKS}/{task}").json()

    assert (reply["status"], reply["model"], reply["duration"]) == ("succeeded", "seedance", 4)
    assert reply["usage"]["completion_tokens"] == 864 * 496 * 24 * 4 // 1024
    assert reply["content"]["video_url"].endswith("-4000.mp4")
    assert stub.get(reply["content"]["video_url"]).content[4:8] == b"ftyp"


def test_frames_decide_the_video(stub: TestClient) -> None:
    def url(*frames: dict[str, Any]) -> str:
        content = [{"type": "text", "text": "A cat"}, *frames]
        reply = stub.get(f"{TASKS}/{film(stub, content=content)}").json()
        return str(reply["content"]["video_url"])

    first = {"type": "image_url", "image_url": {"url": PICTURE}, "role": "first_frame"}

    assert url() != url(first) != url(first, {**first, "role": "last_frame"})


def test_a_task_is_cancelled_and_one_fails_as_asked(stub: TestClient) -> None:
    cancelled, failed = film(stub, "job=60000"), film(stub, "job=0 end=failed")

    assert stub.delete(f"{TASKS}/{cancelled}").status_code == 200

    assert stub.get(f"{TASKS}/{cancelled}").json()["status"] == "cancelled"
    reply = stub.get(f"{TASKS}/{failed}").json()
    assert (reply["status"], reply["error"]["message"]) == (
        *("failed", "(stub) The job failed, as asked."),
    )
    assert stub.get("/stub/calls").json()["jobs"]["cancelled"] == 1
