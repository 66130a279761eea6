"""Transcripts of sounds: the text that the stub spoke, or a sentence with the length."""

import re
from dataclasses import dataclass
from itertools import accumulate, pairwise

from deploy.stub_provider.contents import sounds
from engine.media.formats import MediaKind, UnfitMedia
from engine.media.inspector import inspect_whole

SENTENCE = re.compile(r".+?(?:[.!?…。！？]+(?=\s|$)|$)", re.DOTALL)
SOUNDS = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Sentence with its place in the sound, in milliseconds."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Text of a sound and its length in milliseconds."""

    text: str
    milliseconds: int

    @property
    def segments(self) -> list[Segment]:
        """Sentences, each as long as its share of the characters; the last ends with the sound."""
        found = [each.strip() for each in SENTENCE.findall(self.text)]
        sentences = [each for each in found if each]
        ends = [*accumulate(len(each) for each in sentences)]
        whole = max(sum(map(len, sentences)), 1)
        times = [0, *(self.milliseconds * end // whole for end in ends)]
        return [
            Segment(start=start, end=end, text=text)
            for (start, end), text in zip(pairwise(times), sentences, strict=True)
        ]


def transcribe(sound: bytes) -> Transcript | None:
    """Return the transcript of a file; None if it is no sound and no video."""
    try:
        facts = inspect_whole(sound)
    except UnfitMedia:
        return None
    if facts.medium not in SOUNDS:
        return None
    milliseconds = facts.duration_ms or 0
    text = sounds.said(sound) or f"A sound of {milliseconds / 1000:.1f} seconds."
    return Transcript(text=text, milliseconds=milliseconds)
