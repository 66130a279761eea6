"""The real decoder of sounds, on formats that callers send and on hostile bytes: `make local`."""

import io
import math
import struct
import wave
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from workers.nodes.local_models import SpeechPool, sounds
from workers.nodes.local_models.sounds import RATE, decode
from workers.providers.media import content_type_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECONDS = 3
FORMATS = {
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "webm": ("webm", "libopus"),
    "ogg": ("ogg", "libopus"),
    "flac": ("flac", "flac"),
}
FRAMES = {"libopus": 960, "aac": 1_024}
"""Samples of a frame, where it is not that of MP3."""


def tone(rate: int = 24_000, channels: int = 1, seconds: float = SECONDS) -> bytes:
    """Return a WAV with a tone of 440 Hz."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        for number in range(round(rate * seconds)):
            sample = round(8_000 * math.sin(2 * math.pi * 440 * number / rate))
            file.writeframes(struct.pack("<h", sample) * channels)
    return written.getvalue()


def silence(rate: int, seconds: int) -> bytes:
    """Return a WAV of nothing."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * rate * seconds))
    return written.getvalue()


def encoded(data: bytes, name: str, rate: int = 48_000) -> bytes:
    """Return a WAV in another format."""
    import av

    container_format, codec = FORMATS[name]
    written = io.BytesIO()
    with (
        av.open(io.BytesIO(data), format="wav") as source,
        av.open(written, mode="w", format=container_format) as target,
    ):
        stream: Any = target.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate,
            frame_size=FRAMES.get(codec, 1_152),
        )
        for frame in source.decode(audio=0):
            frame.pts = None
            for resampled in resampler.resample(frame):
                target.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            target.mux(stream.encode(resampled))
        target.mux(stream.encode(None))
    return written.getvalue()


def count(data: bytes, content_type: str = "") -> int:
    """Return the number of decoded samples."""
    return sum(array.shape[0] for array in decode(data, content_type or content_type_of(data)))


def code_of(data: bytes, content_type: str = "") -> str:
    with pytest.raises(NodeFailed) as caught:
        count(data, content_type)
    return caught.value.code


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (24_000, 1), (44_100, 2), (48_000, 6)])
def test_a_wav_of_any_rate_and_any_channels_is_one_channel_of_the_models_rate(
    rate: int, channels: int
) -> None:
    assert count(tone(rate, channels)) == pytest.approx(SECONDS * RATE, abs=RATE / 50)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_that_callers_send_is_decoded_without_a_program_of_the_machine(name: str) -> None:
    data = encoded(tone(), name)

    assert count(data) == pytest.approx(SECONDS * RATE, abs=RATE / 5)


@pytest.mark.parametrize("name", FORMATS)
def test_a_sound_that_is_cut_is_decoded_as_far_as_it_goes_or_is_bad(name: str) -> None:
    data = encoded(tone(), name)

    try:
        samples = count(data[: len(data) // 2])
    except NodeFailed as failure:
        assert failure.code == "bad_media"
    else:
        assert 0 < samples <= SECONDS * RATE + RATE / 5


PLAYLIST = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
HOSTILE = {
    "nothing": b"",
    "a playlist": PLAYLIST,
    "a list of files": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "text": b"hello " * 1_000,
    "zeros": bytes(100_000),
    "a head without a sound": tone()[:44],
    "an MP3 of noise": b"\xff\xfb\x90\x00" + bytes(range(256)) * 200,
    "an Ogg of noise": b"OggS" + bytes(range(256)) * 200,
    "a FLAC of noise": b"fLaC" + bytes(range(256)) * 200,
    "an EBML of noise": b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 200,
    "an MP4 of noise": b"\x00\x00\x00\x18ftypM4A " + bytes(range(256)) * 200,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_sound_is_bad_media(name: str) -> None:
    for content_type in {content_type_of(HOSTILE[name]), *sounds.CONTAINERS}:
        try:
            count(HOSTILE[name], content_type)
        except NodeFailed as failure:
            assert failure.code == "bad_media"
        else:
            assert name == "an MP3 of noise" or content_type == "audio/mpeg"


def with_rate(data: bytes, rate: int) -> bytes:
    """Return the WAV with another rate in its head."""
    return data[:24] + struct.pack("<I", rate) + data[28:]


@pytest.mark.parametrize("rate", [0, 1, 100, 2_000_000_000])
def test_a_rate_that_no_sound_has_is_bad_media(rate: int) -> None:
    assert code_of(with_rate(tone(), rate)) == "bad_media"


def test_a_sound_over_the_longest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "MAX_SECONDS", 1)

    assert code_of(tone()) == "resource_exhausted"


async def test_two_hours_in_few_bytes_are_given_up_in_the_child() -> None:
    hours = encoded(silence(8_000, 2 * 3_600), "flac", 8_000)
    assert len(hours) < 2_000_000
    pool = SpeechPool()
    try:
        with pytest.raises(NodeFailed) as caught:
            await pool.transcribe(hours, "audio/flac", "en", 600)
    finally:
        await pool.close()

    assert caught.value.code == "resource_exhausted"
