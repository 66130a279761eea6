"""sunoapi.org in the stub: a task of two songs."""

from typing import Any

import pytest
from starlette.testclient import TestClient

SONG = {
    "prompt": "A march",
    "customMode": False,
    "instrumental": True,
    "model": "V4_5ALL",
    "callBackUrl": "https://example.org/",
}


def record(stub: TestClient, script: str) -> Any:
    reply = stub.post("/api/v1/generate", json=SONG, headers={"x-stub": script}).json()
    assert reply["code"] == 200
    return stub.get(f"/api/v1/generate/record-info?taskId={reply['data']['taskId']}").json()["data"]


def test_a_task_ends_with_two_songs(stub: TestClient) -> None:
    data = record(stub, "job=0")

    urls = [song["audioUrl"] for song in data["response"]["sunoData"]]
    assert (data["status"], len(set(urls))) == ("SUCCESS", 2)
    assert [stub.get(url).content[:4] for url in urls] == [b"RIFF"] * 2


@pytest.mark.parametrize(
    ("script", "status"), [("job=60000", "PENDING"), ("job=0 end=failed", "GENERATE_AUDIO_FAILED")]
)
def test_a_task_that_has_no_songs_says_why(stub: TestClient, script: str, status: str) -> None:
    data = record(stub, script)

    assert (data["status"], data["response"]["sunoData"]) == (status, [])
    assert bool(data["errorMessage"]) is (status == "GENERATE_AUDIO_FAILED")


@pytest.mark.parametrize("name", SONG)
def test_what_is_missing_is_said_with_a_code_in_the_body(stub: TestClient, name: str) -> None:
    answer = stub.post("/api/v1/generate", json={k: v for k, v in SONG.items() if k != name})

    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert f"'{name}'" in answer.json()["msg"]
