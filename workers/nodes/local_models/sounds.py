"""Decoding of untrusted sounds as samples, in child processes."""

import io
from collections.abc import Iterator
from typing import Any

from engine.errors.nodes import NodeFailed

RATE = 16_000
"""Samples a second, of one channel, as models of speech take them."""
MAX_SECONDS = 3_600
CONTAINERS = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/mp4": "mov",
    "video/mp4": "mov",
    "audio/webm": "matroska",
    "video/webm": "matroska",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
}
"""Demuxers by content type. None is guessed: some formats name files and hosts to read."""
CODECS = frozenset(
    {
        *("aac", "alac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis"),
        *("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
        *("pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"),
    }
)
RATES = range(4_000, 192_001)
"""Of sounds: at a lower rate, few bytes last for hours."""


def decode(data: bytes, content_type: str) -> Iterator[Any]:
    """Yield the samples of a sound, or of a video's first sound, as arrays of 16-bit numbers.

    Raises NodeFailed: bad_media for what is no sound, resource_exhausted for one that is too long.
    """
    import av

    container_format = CONTAINERS.get(content_type)
    if container_format is None:
        raise bad_sound()
    samples = 0
    try:
        with av.open(
            io.BytesIO(data), mode="r", format=container_format, metadata_errors="ignore"
        ) as container:
            for array in _resampled(container):
                samples += array.shape[0]
                if samples > MAX_SECONDS * RATE:
                    raise too_long()
                yield array
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise bad_sound() from error
    if samples == 0:
        raise bad_sound()


def bad_sound() -> NodeFailed:
    """Return the failure of a sound that cannot be decoded."""
    return NodeFailed("bad_media", "The sound cannot be read")


def too_long() -> NodeFailed:
    """Return the failure of a sound that lasts longer than is recognised here."""
    message = f"The sound lasts longer than the {MAX_SECONDS // 60} minutes that are recognised"
    return NodeFailed("resource_exhausted", message)


def _resampled(container: Any) -> Iterator[Any]:
    import av

    stream = container.streams.audio[0]
    if stream.codec_context.name not in CODECS or stream.codec_context.sample_rate not in RATES:
        raise bad_sound()
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in _frames(container, stream):
        if frame.sample_rate not in RATES:
            raise bad_sound()
        for resampled in resampler.resample(frame):
            yield resampled.to_ndarray()[0]
    for resampled in resampler.resample(None):
        yield resampled.to_ndarray()[0]


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the frames of a stream; a part that is broken is left out, as players do."""
    import av

    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            frame.pts = None
            yield frame
