"""Facts of images, videos and sounds from the header of the file."""

import re
from collections.abc import Callable

from engine.media.audio_durations import is_frame, read_frames
from engine.media.formats import HEAD_BYTES, Facts, MediaKind, UnfitMedia, check_pixels, max_pixels
from engine.media.mp4_durations import MAX_TRACKS, read_movie
from engine.media.webm_durations import SEGMENT, read_webm_length

MAX_BOXES = 64
SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
PICTURE_BRANDS = frozenset({b"avif", b"avis"})
MOVIE_BRANDS = re.compile(rb"isom|iso[2-9]|mp4[12]|avc1|M4V |M4VH|MSNV|dash|dby1|f4v |mmp4")
OGG_SOUNDS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


def read_facts(head: bytes) -> Facts:
    """Return the facts of an image, a video or a sound from its start. Raises UnfitMedia.

    `head` is the whole file or its first `HEAD_BYTES`.
    """
    for matches, read in READERS:
        if matches(head):
            try:
                facts = read(head)
            except IndexError:
                raise UnfitMedia("The file's header is not whole") from None
            is_image = facts.medium is MediaKind.IMAGE
            if is_image and facts.width is not None and facts.height is not None:
                check_pixels(facts.width, facts.height, max_pixels(facts.content_type))
            return facts
    raise UnfitMedia("The file is none of the images, videos, sounds and documents that are taken")


def _number(data: bytes, at: int, size: int, order: str = "big") -> int:
    part = data[at : at + size]
    if len(part) < size:
        raise IndexError
    return int.from_bytes(part, "little" if order == "little" else "big")


def _read_png(head: bytes) -> Facts:
    if _number(head, 8, 4) != 13 or head[12:16] != b"IHDR":
        raise UnfitMedia("The PNG does not begin with its header")
    return Facts(content_type="image/png", width=_number(head, 16, 4), height=_number(head, 20, 4))


def _read_gif(head: bytes) -> Facts:
    width, height = _number(head, 6, 2, "little"), _number(head, 8, 2, "little")
    return Facts(content_type="image/gif", width=width, height=height)


def _read_jpeg(head: bytes) -> Facts:
    at, size = 2, None
    while True:
        marker = _number(head, at + 1, 1)
        if head[at] != 0xFF:
            raise UnfitMedia("The JPEG's segments are damaged")
        if marker == 0xFF:
            at += 1
            continue
        length = _number(head, at + 2, 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = _number(head, at + 7, 2), _number(head, at + 5, 2)
        if marker == 0xDA or marker == 0xD9:
            break
        if length < 2:
            raise UnfitMedia("The JPEG's segments are damaged")
        at += 2 + length
    if size is None:
        raise UnfitMedia("The JPEG has no picture")
    return Facts(content_type="image/jpeg", width=size[0], height=size[1], data_at=at)


def _read_webp(head: bytes) -> Facts:
    kind = head[12:16]
    if kind == b"VP8X":
        width = _number(head, 24, 3, "little") + 1
        height = _number(head, 27, 3, "little") + 1
    elif kind == b"VP8L" and _number(head, 20, 1) == 0x2F:
        bits = _number(head, 21, 4, "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width = _number(head, 26, 2, "little") & 0x3FFF
        height = _number(head, 28, 2, "little") & 0x3FFF
    else:
        raise UnfitMedia("The WebP has no picture")
    return Facts(content_type="image/webp", width=width, height=height)


def _read_wav(head: bytes) -> Facts:
    at, rate = 12, 0
    for _ in range(MAX_BOXES):
        name, size = head[at : at + 4], _number(head, at + 4, 4, "little")
        if name == b"fmt ":
            rate = _number(head, at + 16, 4, "little")
        if name == b"data":
            if not rate:
                break
            return Facts(
                content_type="audio/wav",
                duration_ms=size * 1000 // rate,
                data_at=at + 8,
                bytes_per_second=rate,
            )
        at += 8 + size + size % 2
    raise UnfitMedia("The WAV has no sound")


def _read_ogg(head: bytes) -> Facts:
    segments = _number(head, 26, 1)
    if not head[27 + segments :].startswith(OGG_SOUNDS):
        raise UnfitMedia("The Ogg file holds something else than Vorbis, Opus, FLAC or Speex")
    return Facts(content_type="audio/ogg")


def _read_mp3(head: bytes) -> Facts:
    at = 0
    if head.startswith(b"ID3"):
        size = 0
        for position in range(6, 10):
            size = size << 7 | _number(head, position, 1) & 0x7F
        at = 10 + size
        if at + 4 > HEAD_BYTES:
            return Facts(content_type="audio/mpeg")  # behind a large cover picture
    at += len(head[at : at + 4_096]) - len(head[at : at + 4_096].lstrip(b"\x00"))
    if not is_frame(head[at : at + 4]):
        raise UnfitMedia("The MP3 has no sound")
    duration_ms, rate = read_frames(head, at)
    return Facts(
        content_type="audio/mpeg", duration_ms=duration_ms, data_at=at, bytes_per_second=rate
    )


def _read_webm(head: bytes) -> Facts:
    at = head.find(b"\x42\x82", 0, 128)
    if at < 0 or head[at + 3 : at + 7] != b"webm" or head[at + 2] != 0x84:
        raise UnfitMedia("The file is Matroska, but not WebM")
    if SEGMENT not in head[:4_096]:
        raise UnfitMedia("The WebM has no film")
    return Facts(content_type="video/webm", duration_ms=read_webm_length(head))


def _read_boxes(head: bytes) -> Facts:
    size = _number(head, 0, 4)
    if not 16 <= size <= min(1_024, len(head)):
        raise UnfitMedia("The MP4 does not begin with its header")
    if head.count(b"trak") > MAX_TRACKS:
        raise UnfitMedia(f"The MP4 has more than {MAX_TRACKS} tracks")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
    if head[8:12] in PICTURE_BRANDS:
        return _read_avif(head)
    movie = read_movie(head)
    if brands[0] in SOUND_BRANDS:
        return Facts(content_type="audio/mp4", duration_ms=movie.duration_ms)
    if not any(MOVIE_BRANDS.fullmatch(brand) for brand in brands):
        raise UnfitMedia("The file is of the MP4 family, but neither MP4, M4A nor AVIF")
    return Facts(
        content_type="video/mp4",
        width=movie.width,
        height=movie.height,
        duration_ms=movie.duration_ms,
    )


def _read_avif(head: bytes) -> Facts:
    at = head.find(b"ispe")
    if at < 0:
        raise UnfitMedia("The AVIF does not say how large it is")
    sizes = []
    while at >= 0:
        sizes.append((_number(head, at + 8, 4), _number(head, at + 12, 4)))
        at = head.find(b"ispe", at + 4)
    width, height = max(sizes, key=lambda pair: pair[0] * pair[1])
    return Facts(content_type="image/avif", width=width, height=height)


READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Facts]], ...] = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), _read_png),
    (lambda head: head.startswith(b"\xff\xd8\xff"), _read_jpeg),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", _read_webp),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), _read_gif),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WAVE", _read_wav),
    (lambda head: head.startswith(b"OggS\x00"), _read_ogg),
    (lambda head: head[4:8] == b"ftyp", _read_boxes),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), _read_webm),
    (lambda head: head.startswith(b"ID3") or is_frame(head[:4]), _read_mp3),
)
