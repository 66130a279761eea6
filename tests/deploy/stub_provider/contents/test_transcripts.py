"""Transcripts of the stub: sentences and their places in the sound."""

import pytest

from deploy.stub_provider.contents import sounds
from deploy.stub_provider.contents.transcripts import Transcript, transcribe


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two!", ["One.", "Two!"]),
        ("At 5.30 on 3.5.", ["At 5.30 on 3.5."]),
        ("No end", ["No end"]),
        ("Well... yes?", ["Well...", "yes?"]),
        ("One.\nTwo.\n", ["One.", "Two."]),
        ("", []),
    ],
)
def test_segments_are_sentences(text: str, sentences: list[str]) -> None:
    segments = Transcript(text=text, milliseconds=900).segments

    assert [each.text for each in segments] == sentences
    assert [each.end for each in segments][-1:] == [900] * bool(sentences)


def test_a_sound_that_was_spoken_is_its_text_and_length() -> None:
    found = transcribe(sounds.say("Hello there.", "a", 700))

    assert found == Transcript(text="Hello there.", milliseconds=700)


@pytest.mark.parametrize("data", [b"", b"text", b"RIFF\x04\x00\x00\x00WAVE", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_sound_has_no_transcript(data: bytes) -> None:
    assert transcribe(data) is None
