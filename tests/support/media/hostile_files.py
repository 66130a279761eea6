"""Films that are something else, and archives: none is ever opened, followed or unpacked."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

from tests.support.media.files import box, mp4, ogg, png, webm

INSIDE = "http://169.254.169.254/latest/meta-data"
FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00mp41")


def mvhd(scale: int, ticks: int) -> bytes:
    return box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, scale, ticks) + bytes(80))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def nested(levels: int) -> bytes:
    """Return an archive of archives, of ten files each."""
    data = zipped({"zeros": bytes(1_000_000)})
    for _ in range(levels):
        data = zipped({f"{number}.zip": data for number in range(10)})
    return data


def overlapping() -> bytes:
    """Return an archive whose thousand entries share bytes that inflate to a megabyte each."""
    data = zlib.compress(bytes(1_000_000), 9)[2:-4]
    sizes = struct.pack("<HHIII", 0, 0, zlib.crc32(bytes(1_000_000)), len(data), 1_000_000)
    local = b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + sizes + struct.pack("<HH", 1, 0) + b"a" + data
    entries = b"".join(
        b"PK\x01\x02\x14\x00\x14\x00\x00\x00\x08\x00"
        + sizes
        + struct.pack("<HHHHHII", 4, 0, 0, 0, 0, 0, 0)
        + f"{number:04}".encode()
        for number in range(1_000)
    )
    end = struct.pack("<HHHHIIH", 0, 0, 1_000, 1_000, len(entries), len(local), 0)
    return local + entries + b"PK\x05\x06" + end


def tarred(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


def archives() -> dict[str, bytes]:
    """Return archives of every kind, harmful and not."""
    climbing = {"../../etc/cron.d/x": b"x", "/etc/passwd": b"x", "C:\\x": b"x"}
    return {
        "zip": zipped({"a": b"a"}),
        "zip that climbs": zipped(climbing),
        "zip of zips": nested(3),
        "zip whose entries overlap": overlapping(),
        "zip of a large file": zipped({"a": bytes(10_000_000)}),
        "zip without compression": zipped({"a": png()}, zipfile.ZIP_STORED),
        "empty zip": b"PK\x05\x06" + bytes(18),
        "spanned zip": b"PK\x07\x08" + bytes(30),
        "document with macros": zipped(
            {
                "[Content_Types].xml": b"<Types/>",
                "word/document.xml": b"<w/>",
                "word/vbaProject.bin": b"x",
            }
        ),
        "comic": zipped({"1.png": png()}),
        "program": zipped({"META-INF/MANIFEST.MF": b"Main-Class: X"}),
        "tar": tarred("a", "../../b", "/c"),
        "gzip": gzip.compress(bytes(10_000_000)),
        "gzip of gzip": gzip.compress(gzip.compress(bytes(10_000_000))),
        "tar in gzip": gzip.compress(tarred("../x")),
        "vector in gzip": gzip.compress(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "bzip2": bz2.compress(bytes(10_000_000)),
        "xz": lzma.compress(bytes(1_000_000)),
        "lzma": lzma.compress(bytes(1_000), lzma.FORMAT_ALONE),
        "zlib": zlib.compress(bytes(10_000_000)),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(60),
        "lz4": b"\x04\x22\x4d\x18" + bytes(60),
        "seven": b"7z\xbc\xaf\x27\x1c" + bytes(60),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(60),
        "cabinet": b"MSCF" + bytes(60),
        "ar": b"!<arch>\ndebian-binary   ",
        "iso": bytes(32_769) + b"CD001\x01" + bytes(2_000),
        "disk": b"\x7fELF\x02\x01\x01" + bytes(60),
    }


def wrong_films() -> dict[str, tuple[str, bytes]]:
    """Return files that are no films, with the type that they are sent as."""
    lists = {
        "list of hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{INSIDE}\n",
        "list of hls with a mark": f"\ufeff#EXTM3U\n{INSIDE}\n",
        "list of files": f"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\nconcat:{INSIDE}\n",
        "list of dash": f"<?xml version='1.0'?><MPD><BaseURL>{INSIDE}</BaseURL></MPD>",
        "list of smooth": f"<SmoothStreamingMedia Url='{INSIDE}'/>",
        "list of asx": f"<asx version='3.0'><entry><ref href='{INSIDE}'/></entry></asx>",
        "list of xspf": f"<playlist><track><location>{INSIDE}</location></track></playlist>",
        "list of pls": f"[playlist]\nFile1={INSIDE}\nNumberOfEntries=1\n",
        "list of smil": f"<smil><body><video src='{INSIDE}'/></body></smil>",
        "list for ffmpeg": f"ffconcat version 1.0\nfile {INSIDE}\n",
        "sdp": f"v=0\no=- 0 0 IN IP4 169.254.169.254\nm=video 9 RTP/AVP 96\na=control:{INSIDE}\n",
        "real": f"rtsp://169.254.169.254/x\n{INSIDE}",
        "subtitles": f"WEBVTT\n\nSTYLE\n::cue {{ background: url({INSIDE}) }}\n",
    }
    quicktime = mp4(b"qt  ", others=b"qt  ") + box(b"rmra", b"rdrf" + INSIDE.encode())
    films = {
        "reference of quicktime": quicktime,
        "transport stream": (b"\x47\x40\x00\x10" + bytes(184)) * 20,
        "program stream": b"\x00\x00\x01\xba" + bytes(60),
        "windows media": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(60),
        "matroska": webm().replace(b"\x84webm", b"\x88matroska"),
        "theora": ogg(b"\x80theora"),
        "of many tracks": FTYP + box(b"moov", mvhd(1_000, 1_000) + box(b"trak", b"") * 10_000),
        "of nothing but a name": FTYP[:8],
        "with an endless header": struct.pack(">I", 2**31) + b"ftypisom",
        "with a header of zero": struct.pack(">I", 0) + b"ftypisom" + bytes(60),
        "swf": b"CWS\x09" + bytes(60),
    }
    return {
        **{name: ("video/mp4", text.encode()) for name, text in lists.items()},
        **{f"film {name}": ("video/mp4", data) for name, data in films.items()},
    }


def odd_films() -> dict[str, tuple[bytes, int | None]]:
    """Return odd films that are accepted, with the duration that they declare."""
    moov = box(b"moov", mvhd(1_000, 3_000))
    return {
        "film of no length": (mp4(milliseconds=0), 0),
        "film of two months": (mp4(milliseconds=2**32 - 2), 2**32 - 2),
        "film that says it has no clock": (FTYP + box(b"moov", mvhd(0, 5)), None),
        "film whose header is cut": (FTYP + moov[:20], None),
        "film without a header": (FTYP + box(b"mdat", bytes(64)), None),
        "film whose header is another's": (FTYP + box(b"moov", box(b"trak", bytes(40))), None),
        "film of empty boxes": (FTYP + box(b"free", b"") * 5_000 + moov, None),
        "film with a box of no size": (FTYP + bytes(8) + moov, None),
        "film with a box beyond it": (FTYP + struct.pack(">I", 2**32 - 1) + b"free" + moov, None),
        "film in itself": (FTYP + box(b"moov", box(b"moov", moov)), None),
        "film with its header last": (FTYP + box(b"mdat", bytes(300_000)) + moov, 3_000),
        "film with a list in it": (FTYP + moov + f"#EXTM3U\n{INSIDE}\n".encode(), 3_000),
        "film that leads elsewhere": (FTYP + moov + box(b"dref", b"url " + INSIDE.encode()), 3_000),
        "film with a zip behind it": (mp4() + zipped({"../x": b"x"}), 2_000),
        "film that would swell": (FTYP + moov + box(b"mdat", bytes(500_000)), 3_000),
    }
