"""Previews of outputs: bounded, by socket."""

from gateway.runs.previews import MAX_BYTES, MAX_TEXT_BYTES, MAX_URLS, preview

LINK = "https://example.com/a.png"


def test_a_short_text_is_shown_whole() -> None:
    assert preview({"text-out": "Hello"}) == {"text-out": {"text": "Hello", "truncated": False}}


def test_a_long_text_is_cut_between_characters() -> None:
    shown = preview({"text-out": "x" + "é" * 2_000})["text-out"]

    assert shown == {"text": "x" + "é" * 1_023, "truncated": True}
    assert len(shown["text"].encode()) <= MAX_TEXT_BYTES


def test_media_are_shown_by_their_urls() -> None:
    many = [f"{LINK}?{number}" for number in range(MAX_URLS + 1)]

    shown = preview({"image-out": LINK, "items-out": [LINK, LINK], "more": many})

    assert shown["image-out"] == {"urls": [LINK], "truncated": False}
    assert shown["items-out"] == {"urls": [LINK, LINK], "truncated": False}
    assert shown["more"] == {"urls": many[:MAX_URLS], "truncated": True}


def test_a_text_that_begins_with_a_url_is_a_text() -> None:
    text = f"{LINK} is a kettle"

    assert preview({"text-out": text}) == {"text-out": {"text": text, "truncated": False}}


def test_other_values_are_shown_as_json() -> None:
    shown = preview({"a": {"n": 1}, "b": [1, None], "c": None, "d": []})

    assert [each["text"] for each in shown.values()] == ['{"n":1}', "[1,null]", "null", "[]"]


def test_all_previews_of_an_event_together_are_bounded() -> None:
    shown = preview({f"s{number}": "x" * 3_000 for number in range(20)})

    texts = [each["text"] for each in shown.values() if "text" in each]
    assert len(shown) == 20
    assert sum(map(len, texts)) == MAX_BYTES
    assert shown["s19"] == {"truncated": True}
