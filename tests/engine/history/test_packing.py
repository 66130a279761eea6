"""Compressed msgpack."""

from engine.history.packing import compress, decompress, pack_compressed, unpack_compressed


def test_a_value_comes_back_as_it_was() -> None:
    value = {"text": "a" * 10_000, "list": [1, None, 2.5, b"\xc1"], "empty": {}}

    data = pack_compressed(value)

    assert unpack_compressed(data) == value
    assert len(data) < 200


def test_packed_bytes_stay_the_same_bytes() -> None:
    assert decompress(compress(b"\xc1name")) == b"\xc1name"
