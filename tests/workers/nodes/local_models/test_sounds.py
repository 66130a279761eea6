"""Decoding of sounds with a fake library; `tests/local/test_sounds.py` has the real one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from engine.errors.nodes import NodeFailed
from workers.nodes.local_models import sounds


class DecodingError(ValueError):
    """Stands for any error of the library."""


class InvalidDataError(DecodingError):
    """Stands for a packet that is broken."""


class Packet:
    """Holds a number of samples; None is a broken packet."""

    def __init__(self, samples: int | None, rate: int) -> None:
        self._samples = samples
        self._rate = rate

    def decode(self) -> list[Any]:
        if self._samples is None:
            raise InvalidDataError
        return [SimpleNamespace(samples=self._samples, sample_rate=self._rate, pts=1)]


class Resampler:
    """Gives samples out again, one call late."""

    def __init__(self, *, format: str, layout: str, rate: int) -> None:
        assert (format, layout, rate) == ("s16", "mono", sounds.RATE)
        self._held = 0

    def resample(self, frame: Any) -> list[Any]:
        given, self._held = self._held, 0 if frame is None else frame.samples
        array = numpy.zeros((1, given), dtype=numpy.int16)
        return [SimpleNamespace(to_ndarray=lambda: array)] if given else []


class Library:
    """Stands for PyAV: opens a sound that is made of packets."""

    def __init__(self) -> None:
        self.packets: list[int | None] = []
        self.codec = "mp3"
        self.rate = sounds.RATE
        self.frame_rate = sounds.RATE
        self.has_sound = True
        self.fails: Exception | None = None
        self.opened: list[str] = []

    @contextmanager
    def open(self, file: Any, *, mode: str, format: str, metadata_errors: str) -> Iterator[Any]:
        assert (mode, metadata_errors) == ("r", "ignore")
        self.opened.append(format)
        if self.fails is not None:
            raise self.fails
        context = SimpleNamespace(name=self.codec, sample_rate=self.rate)
        streams = [SimpleNamespace(codec_context=context)] if self.has_sound else []
        yield SimpleNamespace(
            streams=SimpleNamespace(audio=streams),
            demux=lambda stream: [Packet(each, self.frame_rate) for each in self.packets],
        )


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    module = SimpleNamespace(
        open=library.open,
        AudioResampler=Resampler,
        FFmpegError=DecodingError,
        error=SimpleNamespace(InvalidDataError=InvalidDataError),
    )
    monkeypatch.setitem(sys.modules, "av", module)
    return library


def count(content_type: str = "audio/mpeg") -> int:
    return sum(len(array) for array in sounds.decode(b"data", content_type))


def code_of(content_type: str = "audio/mpeg") -> str:
    with pytest.raises(NodeFailed) as caught:
        count(content_type)
    return caught.value.code


def test_all_samples_are_given_and_a_broken_packet_is_left_out(library: Library) -> None:
    library.packets = [400, None, 300]

    assert count() == 700


@pytest.mark.parametrize(
    ("content_type", "container"),
    [("audio/mp4", "mov"), ("video/webm", "matroska"), ("audio/wav", "wav")],
)
def test_the_demuxer_is_that_of_the_content_type(
    library: Library, content_type: str, container: str
) -> None:
    library.packets = [1]

    count(content_type)

    assert library.opened == [container]


def test_a_type_without_a_demuxer_is_not_opened(library: Library) -> None:
    assert code_of("application/vnd.apple.mpegurl") == "bad_media"
    assert library.opened == []


@pytest.mark.parametrize(
    "fault",
    [
        {"packets": []},
        {"packets": [None, None]},
        {"has_sound": False},
        {"codec": "shorten"},
        {"rate": 1},
        {"frame_rate": 1},
        {"fails": DecodingError()},
    ],
)
def test_what_is_no_sound_is_bad_media(library: Library, fault: dict[str, Any]) -> None:
    library.packets = [100]
    for name, value in fault.items():
        setattr(library, name, value)

    assert code_of() == "bad_media"


def test_a_sound_that_lasts_too_long_is_given_up(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "MAX_SECONDS", 2)
    library.packets = [sounds.RATE] * 2
    assert count() == 2 * sounds.RATE

    library.packets = [sounds.RATE] * 3

    assert code_of() == "resource_exhausted"
