"""Transcripts: the plain value of an answer, and segments of providers, which may be malformed."""

import math
from typing import Any

import pytest

from engine.models.transcripts import as_transcript, make_transcript, read_segments, text_of

SEGMENT = {"start": 0, "end": 1.5, "text": "Hello"}


def test_a_text_alone_is_a_transcript_without_segments() -> None:
    assert as_transcript("Hello") == {"text": "Hello", "segments": []}


def test_a_transcript_stays_as_it_is() -> None:
    made = make_transcript("Hello", [SEGMENT])

    assert as_transcript(made) == made == {"text": "Hello", "segments": [SEGMENT]}


@pytest.mark.parametrize("answer", ["Hello", make_transcript("Hello", [SEGMENT])])
def test_the_text_of_an_answer_is_that_of_either_form(answer: Any) -> None:
    assert text_of(answer) == "Hello"


def test_segments_have_times_in_milliseconds_and_no_other_members() -> None:
    given = [{"id": 3, "start": 0, "end": 1.50004, "text": " Hello ", "tokens": [1]}]

    assert read_segments(given) == [SEGMENT]


@pytest.mark.parametrize("time", [None, "1", True, -1, math.nan, math.inf, [], {}])
def test_a_segment_without_a_time_is_left_out(time: Any) -> None:
    assert read_segments([SEGMENT, {**SEGMENT, "end": time}]) == [SEGMENT]
