"""Log lines with any text: one JSON object each, without control characters."""

import contextvars
import json
import logging
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.telemetry import log

pytestmark = pytest.mark.A63

TRICKS = (
    "one\nInfo: two",
    "one\r\n2026-01-01 root logged in",
    "one\x0btwo\x0cthree\x1cfour\x1dfive\x1esix\x85seven\u2028eight\u2029nine",
    "\x1b[2J\x1b]0;title\x07 \x9b31m \x7f\x08",
    '"}\n{"level":"error","event":"forged"',
    "\\u000a \\n %0a %0d",
    "{} {0} %s %d %(x)s %",
    "\u202eright to left\u202c \u2066isolated\u2069",
    "\x00",
    "\ud800",
)
TEXTS = st.one_of(st.sampled_from(TRICKS), st.text(), st.text(st.characters(max_codepoint=0xA0)))


def formatted(text: Any, **extra: Any) -> str:
    """Return the line of a record with the text in all members."""
    try:
        raise ValueError(text)
    except ValueError:
        cause = sys.exc_info()
    record = logging.makeLogRecord(
        {"msg": "seen %s", "args": (text,), "name": "x", "exc_info": cause, **extra}
    )

    def inside() -> str:
        log.bind(request_id=text)
        return log.JsonFormatter().format(record)

    return contextvars.copy_context().run(inside)


@given(text=TEXTS)
@example(text="\n".join(TRICKS))
def test_a_line_stays_one_and_tells_what_it_was_told(text: str) -> None:
    line = formatted(
        text, path=text, nested={text: [text]}, at_what=text.encode("utf-8", "replace")
    )

    assert len(line.splitlines()) == 1
    assert not any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in line)
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    members = json.loads(line)
    if len(text) < 1_000 and text.isascii():
        assert members["event"] == f"seen {text}"
        assert members["path"] == members["requestId"] == text


@pytest.mark.parametrize("text", ["x" * 2_049, "é" * 100_000, "\ud800" * 5_000, "\n" * 5_000])
def test_a_text_is_cut_at_two_kibibytes(text: str) -> None:
    line = json.loads(formatted(text, path=text, nested={"a": [text]}, kept="y" * 2_048))

    for name in ("event", "path", "requestId", "nested"):
        assert len(line[name]) <= log.MAX_TEXT + 1
        assert line[name].endswith("…")
    assert line["path"].startswith(text[0]) or text[0] == "\ud800"
    assert line["kept"] == "y" * 2_048


def test_of_a_traceback_its_end_is_kept() -> None:
    line = json.loads(formatted("x" * 100_000 + " the end"))

    assert len(line["traceback"]) <= log.MAX_TRACEBACK
    assert line["traceback"].endswith(" the end")
