"""Duration of a WebM in its header, valid, absent or damaged."""

import struct

import pytest

from tests.support.media.timed_files import SECONDS_2, element, inspect_stream, webm


@pytest.mark.parametrize(
    ("data", "milliseconds"),
    [
        (webm(SECONDS_2), 2_000),
        (webm(SECONDS_2, size=b"\x01" + b"\xff" * 7), 2_000),
        (webm(SECONDS_2, before=element("114d9b74", bytes(60)) + element("ec", bytes(99))), 2_000),
        (
            webm(element("4489", struct.pack(">f", 5.0)), element("2ad7b1", b"\x3b\x9a\xca\x00")),
            5_000,
        ),
        (webm(), None),
        (webm(element("4489", struct.pack(">d", float("nan")))), None),
        (webm(element("4489", struct.pack(">d", float("inf")))), None),
        (webm(element("4489", struct.pack(">d", -5.0))), None),
        (webm(element("4489", struct.pack(">d", 1e300)), element("2ad7b1", b"\xff" * 8)), None),
        (webm(element("4489", b"abc")), None),
        (webm(SECONDS_2, before=element("ec", b"") * 70), None),
        (webm(SECONDS_2)[:50], None),
    ],
)
async def test_a_webm_is_as_long_as_is_told_before_its_pictures(
    data: bytes, milliseconds: int | None
) -> None:
    assert await inspect_stream(data) == (None, None, milliseconds)
