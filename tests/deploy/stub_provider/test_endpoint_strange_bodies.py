import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

MESSAGE = {
    "model": "m",
    "max_tokens": 9,
    "messages": [
        {"role": "user", "content": "Hi"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                {"type": "image", "source": {"type": "url", "url": "https://a.example"}},
            ],
        },
    ],
    "stream": True,
    "stream_options": {"include_usage": True},
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"type": "string", "minLength": 2}}},
                "required": ["a"],
                "allOf": [{"minimum": 2}],
            }
        },
    },
    "output_config": {"format": {"type": "json_schema", "schema": {"type": "integer"}}},
    "tools": [{"name": "t", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "tool", "name": "t"},
}
MEDIA = {
    "model": "m",
    "prompt": "cat",
    "input": {"prompt": "cat", "duration": 2, "num_outputs": 2, "image_size": {"width": 9}},
    "size": "8x8",
    "n": 1,
    "seed": 3,
    "image": "x",
    "voice": "v",
    "response_format": "url",
    "output_format": "png",
    "dimensions": 4,
    "aspect_ratio": "1:1",
}
IMAGE_URL = {"url": "data:image/png;base64,aGk="}
TASK = {
    "model": "m",
    "content": [
        {"type": "text", "text": "cat"},
        {"type": "image_url", "image_url": IMAGE_URL, "role": "first_frame"},
    ],
    "duration": 4,
    "resolution": "480p",
}
CONTENTS = {
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "cat"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
        }
    ],
    "generationConfig": {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
    },
}
SONG = {
    "model": "m",
    "prompt": "cat",
    "customMode": False,
    "instrumental": True,
    "callBackUrl": "https://a.example",
}
PATHS = {
    "/v1/chat/completions": MESSAGE,
    "/v1/messages": MESSAGE,
    "/v1/embeddings": MEDIA,
    "/v1/images/generations": MEDIA,
    "/v1/images/edits": MEDIA,
    "/v1/audio/speech": MEDIA,
    "/v1/audio/transcriptions": MEDIA,
    "/v1/predictions": MEDIA,
    "/fal/acme/painter": MEDIA,
    "/v1beta/models/m:generateContent": CONTENTS,
    "/api/v3/images/generations": {**MEDIA, "image": [IMAGE_URL["url"]]},
    "/api/v3/contents/generations/tasks": TASK,
    "/api/v1/generate": SONG,
}
KEYED = {"x-api-key": "k", "x-goog-api-key": "k", "anthropic-version": "1", "x-stub": "job=0"}
ASKED_AFTER = {
    "/v1/predictions": "/v1/predictions/{}",
    "/api/v3/contents/generations/tasks": "/api/v3/contents/generations/tasks/{}",
    "/api/v1/generate": "/api/v1/generate/record-info?taskId={}",
}
"""Paths that poll the jobs submitted there."""
strange = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "9" * 30, "\ud83d\ude00", [], {}, [None], [[]], {"": None}, 10**40]),
)


def places(value: Any, *path: Any) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [path, *(place for key, inner in items for place in places(inner, *path, key))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = list(value) if isinstance(value, list) else dict(value)
    copied[path[0]] = put(value[path[0]], path[1:], new)
    return copied


@pytest.mark.parametrize("path", PATHS)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(data=st.data())
def test_no_body_is_more_than_the_stub_can_take(
    stub: TestClient, path: str, data: st.DataObject
) -> None:
    place = data.draw(st.sampled_from(places(PATHS[path])))
    body = put(PATHS[path], place, data.draw(strange))

    answer = stub.post(path, content=json.dumps(body), headers=KEYED)

    assert answer.status_code < 500
    if path in ASKED_AFTER and answer.status_code in (200, 201):
        reply = answer.json()
        job_id = reply.get("id") or reply["data"]["taskId"]
        assert stub.get(ASKED_AFTER[path].format(job_id)).status_code == 200
