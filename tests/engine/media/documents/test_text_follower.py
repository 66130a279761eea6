import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.documents.text_follower import TextFollower
from engine.media.formats import UnfitMedia

TEXT = "Grüße, 世界 🙂\n"


def fits(data: bytes, size: int) -> bool:
    follower = TextFollower()
    try:
        for start in range(0, len(data), size):
            follower.feed(data[start : start + size])
        follower.finish()
    except UnfitMedia:
        return False
    return True


@pytest.mark.parametrize("size", [1, 2, 3, 7, 65_536])
@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (TEXT.encode(), True),
        (TEXT.encode("utf-8-sig"), True),
        (b"a\r\n\tb\x0c", True),
        (TEXT.encode()[:-3], False),
        (TEXT.encode("utf-16"), False),
        ("text".encode("utf-16-le"), False),
        ("text".encode("utf-32"), False),
        ("Grüße".encode("latin-1"), False),
        (b"\xc0\xaf", False),
        (b"\xed\xa0\x80", False),
        (b"x" * 300_000 + b"\0", False),
        (b"x" * 300_000 + b"\xff", False),
        (b"", False),
    ],
)
def test_a_text_is_utf_8_without_nul_whatever_its_pieces(
    data: bytes, is_text: bool, size: int
) -> None:
    assert fits(data, size) is is_text


@given(st.binary(max_size=64), st.integers(1, 9))
def test_pieces_of_any_size_give_the_verdict_of_the_whole(data: bytes, size: int) -> None:
    try:
        is_text = bool(data) and "\0" not in data.decode()
    except UnicodeDecodeError:
        is_text = False

    assert fits(data, size) is is_text
