import struct

import pytest

from deploy.stub_provider.contents.videos import HEIGHT, WIDTH, film


def boxes(data: bytes) -> dict[bytes, bytes]:
    found = {}
    at = 0
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        found[data[at + 4 : at + 8]] = data[at + 8 : at + size]
        at += size
    assert at == len(data)
    return found


def table_of(data: bytes) -> dict[bytes, bytes]:
    inner = boxes(data)[b"moov"]
    for name in (b"trak", b"mdia", b"minf", b"stbl"):
        inner = boxes(inner)[name]
    return boxes(inner)


@pytest.mark.parametrize(
    ("milliseconds", "frames"), [(100, 1), (2600, 5), (10_000, 20), (45_000, 20)]
)
def test_a_video_lasts_as_long_as_it_was_asked_to(milliseconds: int, frames: int) -> None:
    data = film("0123456789abcdef", milliseconds)

    times = table_of(data)[b"stts"]
    count = struct.unpack(">I", times[4:8])[0]
    entries = struct.unpack(f">{2 * count}I", times[8:])
    assert sum(entries[::2]) == frames
    assert (
        sum(n * each for n, each in zip(entries[::2], entries[1::2], strict=True)) == milliseconds
    )


def test_every_frame_stands_where_the_table_says_and_has_all_its_dots() -> None:
    data = film("0123456789abcdef", 2000)

    table = table_of(data)
    (offset,) = struct.unpack(">I", table[b"stco"][8:])
    sizes = struct.unpack(">4I", table[b"stsz"][12:])
    frames = []
    for size in sizes:
        sample = data[offset : offset + size]
        assert struct.unpack(">I", sample[:4])[0] == size - 4
        frames.append(sample[4:])
        offset += size
    assert offset == len(data)
    assert {frame[0] for frame in frames} == {0x65}
    assert min(len(frame) for frame in frames) > WIDTH * HEIGHT * 3 // 2
    assert len(set(frames)) == len(frames)
    assert not any(bytes(3) in frame or b"\0\0\1" in frame for frame in frames)
