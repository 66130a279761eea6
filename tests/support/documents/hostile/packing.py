"""ZIP archives by hand, whose headers may lie, and large streams that take no time to make."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1_048_576
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
STORED, DEFLATED = 0, 8
MOST_LISTED = 0xFFFF


def repeated(unit: bytes, times: int, *, head: bytes = b"", tail: bytes = b"") -> bytes:
    """Return a raw deflate stream of a text that has a unit many times in the middle."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + middle * times + packer.compress(tail) + packer.flush()


def wrapped(raw: bytes, checksum: int) -> bytes:
    """Return a raw deflate stream in the form of zlib, with an Adler checksum."""
    return b"\x78\xda" + raw + struct.pack(">I", checksum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Entry of an archive, with headers as one says, true or not."""

    name: str
    packed: bytes
    size: int
    """Declared size of the inflated entry."""
    checksum: int = 0
    method: int = DEFLATED
    flags: int = 0
    offset: int | None = None
    """Place that the directory tells; None: the true one."""
    extra: bytes = b""

    def local(self) -> bytes:
        """Return the header before the entry, and the entry."""
        name = self.name.encode()
        head = struct.pack("<HHHHH", 20, self.flags, self.method, 0, 0x21)
        return LOCAL + head + self._sizes() + struct.pack("<HH", len(name), 0) + name + self.packed

    def central(self, place: int) -> bytes:
        """Return the entry of the directory."""
        name = self.name.encode()
        at = place if self.offset is None else self.offset
        head = struct.pack("<HHHHHH", 20, 20, self.flags, self.method, 0, 0x21)
        tail = struct.pack("<HHHHHII", len(name), len(self.extra), 0, 0, 0, 0, at)
        return CENTRAL + head + self._sizes() + tail + name + self.extra

    def _sizes(self) -> bytes:
        return struct.pack("<III", self.checksum, len(self.packed) & 0xFFFFFFFF, self.size)


def plain(name: str, data: bytes | str) -> Entry:
    """Return an honest entry."""
    content = data.encode() if isinstance(data, str) else data
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    return Entry(name=name, packed=packed, size=len(content), checksum=zlib.crc32(content))


def bomb(name: str, unit: bytes, times: int, *, head: str = "", tail: str = "") -> Entry:
    """Return an honest entry that inflates to many times a unit."""
    begin, end = head.encode(), tail.encode()
    checksum = zlib.crc32(begin)
    for _ in range(times):
        checksum = zlib.crc32(unit, checksum)
    size = len(begin) + len(unit) * times + len(end)
    packed = repeated(unit, times, head=begin, tail=end)
    return Entry(name=name, packed=packed, size=size, checksum=zlib.crc32(end, checksum))


def archive(entries: Sequence[Entry], *, count: int | None = None) -> bytes:
    """Return an archive; `count` is the number of entries that its end tells."""
    body, directory, places = bytearray(), bytearray(), []
    for entry in entries:
        places.append(len(body))
        body += entry.local()
    for entry, place in zip(entries, places, strict=True):
        directory += entry.central(place)
    told = min(len(entries) if count is None else count, MOST_LISTED)
    end = struct.pack("<HHHHIIH", 0, 0, told, told, len(directory), len(body), 0)
    return bytes(body + directory) + END + end


def shared(names: Sequence[str], entry: Entry) -> bytes:
    """Return an archive whose entries all are the same bytes."""
    body = entry.local()
    directory = b"".join(
        Entry(
            name=name,
            packed=entry.packed,
            size=entry.size,
            checksum=entry.checksum,
        ).central(0)
        for name in names
    )
    count = min(len(names), MOST_LISTED)
    return (
        body
        + directory
        + END
        + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    )
