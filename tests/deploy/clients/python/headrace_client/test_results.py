from typing import Any

import pytest

from headrace_client import RunResult, Segment


def _result(value: Any) -> RunResult:
    return RunResult(result=value, cost=0, ms=1, execution_id="e1")


def test_a_result_has_its_media_by_kind_and_its_transcript() -> None:
    part = {"start": 0.0, "end": 1.5, "text": "Hello."}
    heard = _result({"text": "Hello.", "segments": [part]})
    media = _result({"images": ["i"], "videos": ["v"], "audios": ["a"], "files": ["f", "g"]})

    assert heard.text == "Hello."
    assert heard.segments == (Segment(start=0.0, end=1.5, text="Hello."),)
    assert (media.images, media.videos, media.audios) == (("i",), ("v",), ("a",))
    assert media.files == ("f", "g")
    assert _result({"files": "f"}).files == ("f",)


@pytest.mark.parametrize("value", [None, "files", ["files"], {"files": None, "segments": ["x"]}])
def test_a_result_of_another_form_has_neither_media_nor_text(value: Any) -> None:
    result = _result(value)

    assert (result.text, result.files, result.segments) == (None, (), ())
