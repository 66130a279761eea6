"""Small files of every accepted kind, and many refused ones, created on demand."""

import io
import struct
import zlib

from PIL import Image

ARCHIVE = b"PK\x03\x04" + b"\x00" * 26 + b"a/../../x" + b"PK\x05\x06" + b"\x00" * 18
PAGE = b"<!doctype html><script>alert(1)</script>"
MAX_PIXELS = 50_000_000


def picture(form: str, width: int = 40, height: int = 30, **options: object) -> bytes:
    """Return a picture in one of Pillow's formats."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, form, **options)
    return out.getvalue()


def png(width: int = 40, height: int = 30) -> bytes:
    return picture("PNG", width, height)


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_head(width: int, height: int, *chunks: bytes) -> bytes:
    """Return a PNG that claims this size, and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\x00" * 10))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body + chunk(b"IEND", b"")


def gif_head(width: int, height: int, frames: int = 1) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + frame * frames + b";"


def jpeg_head(width: int, height: int) -> bytes:
    frame = struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00" + b"\x00" * 8
    return (
        b"\xff\xd8" + b"\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame + scan + b"\xff\xd9"
    )


def webp_head(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + b"\x00" * 4 + size
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def animation(form: str, frames: int) -> bytes:
    """Return an animation of pictures that differ."""
    first, *others = [Image.new("RGB", (8, 6), (number, 9, 9)) for number in range(frames)]
    out = io.BytesIO()
    first.save(out, form, save_all=True, append_images=others, duration=20)
    return out.getvalue()


def png_frames(count: int, width: int = 1, height: int = 1, *, said: int = 1) -> bytes:
    """Return a PNG with so many frames and any claimed number, after a large chunk."""
    head = chunk(b"acTL", struct.pack(">II", said, 0))
    frame = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0)
    return png_head(1, 1, chunk(b"teXt", bytes(300_000)), head, *[chunk(b"fcTL", frame)] * count)


def webp_frames(count: int, width: int = 1, height: int = 1) -> bytes:
    sizes = bytes(6) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = b"ANMF" + struct.pack("<I", 16) + sizes + bytes(4)
    body = webp_head(1, 1)[8:] + frame * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_frame(left: int, top: int, width: int, height: int) -> bytes:
    """Return a GIF of one pixel with a frame elsewhere."""
    frame = b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return gif_head(1, 1)[:-1] + frame + b";"


def wav(milliseconds: int = 500, rate: int = 8_000) -> bytes:
    data = b"\x00" * (rate * milliseconds // 1000)
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate, 1, 8)
    body = b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def mp4(brand: bytes = b"isom", milliseconds: int = 2_000, others: bytes = b"mp41") -> bytes:
    header = struct.pack(">IIIII", 0, 0, 0, 1_000, milliseconds) + b"\x00" * 80
    moov = box(b"moov", box(b"mvhd", header))
    return box(b"ftyp", brand + b"\x00\x00\x02\x00" + others) + moov + box(b"mdat", b"\x00" * 64)


def film(
    width: int, height: int, *, version: int = 0, turned: bool = False, milliseconds: int = 2_000
) -> bytes:
    """Return an MP4 with a sound and a picture of that size."""

    def track(wide: int, high: int) -> bytes:
        times = struct.pack(">QQIIQ" if version else ">IIIII", 0, 0, 1, 0, milliseconds)
        across, down = (0, 1 << 16) if turned else (1 << 16, 0)
        matrix = struct.pack(">9i", across, down, 0, -down, across, 0, 0, 0, 1 << 30)
        sizes = struct.pack(">II", wide << 16, high << 16)
        head = bytes([version, 0, 0, 7]) + times + bytes(16) + matrix + sizes
        return box(b"trak", box(b"tkhd", head) + box(b"mdia", b""))

    header = struct.pack(">IIIII", 0, 0, 0, 1_000, milliseconds) + b"\x00" * 80
    moov = box(b"moov", box(b"mvhd", header) + track(0, 0) + track(width, height))
    return box(b"ftyp", b"isom\x00\x00\x02\x00mp41") + moov + box(b"mdat", b"\x00" * 64)


def avif_head(width: int, height: int) -> bytes:
    size = box(b"ispe", struct.pack(">III", 0, width, height))
    return box(b"ftyp", b"avif\x00\x00\x00\x00avifmif1") + box(b"meta", b"\x00" * 4 + size)


def webm() -> bytes:
    return (
        b"\x1a\x45\xdf\xa3\x8b\x42\x82\x84webm\x42\x87\x81\x04" + b"\x18\x53\x80\x67" + b"\x00" * 64
    )


def ogg(codec: bytes = b"OpusHead") -> bytes:
    return b"OggS\x00\x02" + b"\x00" * 20 + b"\x01\x13" + codec + b"\x00" * 32


def mp3() -> bytes:
    return b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\x00" * 10 + b"\xff\xfb\x90\x00" + b"\x00" * 413


def wrong_files() -> dict[str, tuple[str, bytes]]:
    """Return refused files, with the type that they are sent as."""
    return {**_other_files(), **_wrong_pictures(), **_wrong_sounds_and_films()}


def _other_files() -> dict[str, tuple[str, bytes]]:
    vector = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    pdf = b"%PDF-1.7\n1 0 obj<<>>endobj"
    return {
        "empty": ("image/png", b""),
        "one byte": ("image/png", b"\x89"),
        "text": ("image/png", b"hello"),
        "text of two bytes a letter": ("text/plain", "hello".encode("utf-16")),
        "page": ("image/png", PAGE),
        "page without a type": ("application/octet-stream", PAGE),
        "script": ("text/javascript", b"alert(1)"),
        "vector": ("image/svg+xml", vector),
        "vector as png": ("image/png", vector),
        "vector with entities": (
            "image/svg+xml",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>',
        ),
        "pdf as text": ("text/plain", pdf),
        "text as pdf": ("application/pdf", b"hello"),
        "pdf as jpeg": ("image/jpeg", pdf),
        "eps": ("image/png", b"%!PS-Adobe-3.0 EPSF-3.0"),
        "tiff": ("image/tiff", b"II*\x00" + b"\x00" * 32),
        "bmp": ("image/bmp", b"BM" + b"\x00" * 60),
        "icon": ("image/x-icon", b"\x00\x00\x01\x00" + b"\x00" * 32),
        "fits": ("image/png", b"SIMPLE  =                    T" + b" " * 2_850),
        "jpeg 2000": ("image/jpeg", b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00" * 32),
        "heic": ("image/avif", mp4(b"heic", others=b"mif1")),
        "zip": ("application/zip", ARCHIVE),
        "zip as png": ("image/png", ARCHIVE),
        "zip as octets": ("application/octet-stream", ARCHIVE),
        "gzip": ("application/gzip", b"\x1f\x8b\x08\x00" + b"\x00" * 20),
        "tar": ("application/x-tar", b"x" * 257 + b"ustar\x0000" + b"\x00" * 248),
        "elf": ("application/octet-stream", b"\x7fELF" + b"\x00" * 60),
    }


def _wrong_pictures() -> dict[str, tuple[str, bytes]]:
    whole_png, whole_jpeg = png(), picture("JPEG")
    animated = chunk(b"acTL", struct.pack(">II", 50_000, 0))
    return {
        "png as jpeg": ("image/jpeg", whole_png),
        "jpeg as png": ("image/png", whole_jpeg),
        "png as video": ("video/mp4", whole_png),
        "json as png": ("image/png", b'{"a": 1}'),
        "png as json": ("application/json", whole_png),
        "png bomb": ("image/png", png_head(65_535, 65_535)),
        "png bomb by one": ("image/png", png_head(50_000_001, 1)),
        "png without pixels": ("image/png", png_head(0, 10)),
        "animated png bomb": ("image/png", png_head(10, 10, animated)),
        "png without a header": ("image/png", b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x" * 13)),
        "png cut": ("image/png", whole_png[:-6]),
        "png with a zip behind": ("image/png", whole_png + ARCHIVE),
        "png with a page behind": ("image/png", whole_png + PAGE),
        "gif bomb": ("image/gif", gif_head(65_535, 65_535)),
        "gif of many frames": ("image/gif", gif_head(10, 10, 50_000)),
        "gif with a frame beyond it": ("image/gif", gif_frame(65_000, 65_000, 535, 535)),
        "gif with damaged blocks": ("image/gif", gif_head(10, 10)[:-1] + b"\x99\x01\x00;"),
        "png of many frames": ("image/png", png_frames(1_001)),
        "png that says so late": ("image/png", png_frames(0, said=50_000)),
        "png with a huge frame": ("image/png", png_frames(1, 65_535, 65_535)),
        "png with an endless chunk": ("image/png", png_head(9, 9, b"\xff\xff\xff\xffIDAT")),
        "webp of many frames": ("image/webp", webp_frames(1_001)),
        "webp with a huge frame": ("image/webp", webp_frames(1, 1 << 24, 1 << 24)),
        "webp with a chunk beyond it": ("image/webp", webp_frames(1)[:-24] + b"\xff" * 24),
        "gif cut": ("image/gif", gif_head(10, 10)[:-1]),
        "gif with only a name": ("image/gif", b"GIF89a"),
        "gif with a script behind": ("image/gif", gif_head(10, 10) + b"/*alert(1)*/"),
        "jpeg bomb": ("image/jpeg", jpeg_head(65_535, 65_535)),
        "jpeg cut": ("image/jpeg", whole_jpeg[:-2]),
        "jpeg with no picture": ("image/jpeg", b"\xff\xd8\xff\xd9\xff\xd9"),
        "jpeg with damaged segments": ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x01" + b"\x00" * 64),
        "webp bomb": ("image/webp", webp_head(16_777_216, 16_777_216)),
        "webp cut": ("image/webp", picture("WEBP")[:-4]),
        "webp with a page behind": ("image/webp", picture("WEBP") + PAGE),
        "webp with nothing": ("image/webp", b"RIFF\x04\x00\x00\x00WEBP"),
        "avif bomb": ("image/avif", avif_head(65_535, 65_535)),
        "avif just over the limit": ("image/avif", avif_head(5_001, 5_000)),
        "avif without a size": ("image/avif", box(b"ftyp", b"avif\x00\x00\x00\x00avifmif1")),
    }


def _wrong_sounds_and_films() -> dict[str, tuple[str, bytes]]:
    playlist = b"#EXTM3U\n#EXTINF:10,\nhttp://169.254.169.254/\n"
    return {
        "playlist as mp4": ("video/mp4", playlist),
        "playlist": ("application/vnd.apple.mpegurl", playlist),
        "quicktime": ("video/mp4", mp4(b"qt  ", others=b"qt  ")),
        "mp4 with an endless header": ("video/mp4", struct.pack(">I", 2**31) + b"ftypisom"),
        "matroska": ("video/webm", webm().replace(b"\x84webm", b"\x88matroska")),
        "avi": ("video/mp4", b"RIFF\x00\x00\x00\x00AVI LIST" + b"\x00" * 32),
        "flash": ("video/mp4", b"FLV\x01" + b"\x00" * 32),
        "ogg video": ("audio/ogg", ogg(b"\x80theora")),
        "wav without sound": ("audio/wav", b"RIFF\x04\x00\x00\x00WAVE"),
        "mp3 of nothing": ("audio/mpeg", b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"x" * 64),
        "midi": ("audio/midi", b"MThd" + b"\x00" * 32),
    }
