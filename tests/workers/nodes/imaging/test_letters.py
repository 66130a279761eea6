"""Captions in many scripts: letters of a font are drawn, others replaced by a sign."""

from collections.abc import Iterator

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import Caption
from tests.support.media.pictures import BLACK, edited, plain
from workers.nodes import imaging
from workers.nodes.imaging import letters

BASE = plain((400, 120), BLACK)


def drawn(text: str) -> bytes:
    return edited(Caption(text=text, size=20), BASE).tobytes()


@pytest.fixture
def latin_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the fonts of other scripts were not installed."""
    missing = letters.Face(package="no_such_package", file="x", axes=())
    monkeypatch.setattr(letters, "FACES", (letters.LATIN, missing))
    letters._face_of.cache_clear()
    yield
    letters._face_of.cache_clear()


def test_a_letter_that_no_font_has_is_a_sign() -> None:
    assert drawn("Hello ש") == drawn("Hello \ufffd")
    assert drawn("Hello ש") != drawn("Hello")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ש", "'ש'"),
        ("שלום, שלום", "'ש', 'ל', 'ו', 'ם'"),
        (" \n\U0001f600ש", "'ש'"),
        (
            "".join(map(chr, range(0x0E01, 0x0E11))),
            "'ก', 'ข', 'ฃ', 'ค', 'ฅ', 'ฆ', 'ง', 'จ', 'ฉ', 'ช' and others",
        ),
    ],
)
def test_unknown_letters_are_named_when_no_other_is_left(text: str, named: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        imaging.edit(Caption(text=text), [BASE])

    assert raised.value.code == "invalid_value"
    assert raised.value.message.startswith("The fonts of captions have none of its letters: '")
    assert named in raised.value.message


@pytest.mark.parametrize(
    "text", ["日本語のキャプション", "说明文字", "한국어 자막", "Menu 套餐 ½ €"]
)
def test_east_asian_letters_come_from_their_own_font(text: str) -> None:
    signs = "".join("\ufffd" if ord(letter) > 0x3000 else letter for letter in text)

    assert drawn(text) != drawn(signs)
    assert letters.drawable(text) == text


def test_letters_that_languages_share_have_the_form_of_the_text() -> None:
    chinese, japanese, korean = (
        letters.Letters(f"直{more}", 24)._form for more in ("", "の", "한")
    )

    assert (chinese, japanese, korean) == (letters.CHINESE, letters.JAPANESE, letters.KOREAN)
    forms = {
        bytes(letters._font(1, 48, form).getmask("直")) for form in (chinese, japanese, korean)
    }
    assert len(forms) > 1


def test_letters_of_two_fonts_stand_side_by_side_on_one_line() -> None:
    line = letters.Letters("ab日本cd", 24)

    parts = [line.width(part) for part in ("ab", "日本", "cd")]

    assert line.width("ab日本cd") == pytest.approx(sum(parts))
    assert parts[1] == pytest.approx(48, abs=2)


def test_a_long_text_without_spaces_is_broken_into_lines() -> None:
    assert drawn("日" * 60) != drawn("日" * 5)


@pytest.mark.usefixtures("latin_alone")
def test_without_the_font_they_are_signs_too() -> None:
    assert drawn("Hello 日本") == drawn("Hello \ufffd\ufffd")
    with pytest.raises(NodeFailed, match="'日', '本'"):
        imaging.edit(Caption(text="日本"), [BASE])
