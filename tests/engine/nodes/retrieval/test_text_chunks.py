"""Chunks of texts: nothing is lost, none is too long, and hostile texts take linear time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.nodes.retrieval import text_chunks
from engine.nodes.retrieval.text_chunks import ChunkRules, SplitBy, TooManyChunks, split_texts
from tests.support.process.cpu_time import cpu_limit

PIECES = [
    *("a", "Zebra", " ", "\n", "\r\n", "\r", "\t", "\n\n", ". ", "? ", "!", "…", "。", "！", "」"),
    *(
        "# One\n",
        "\n## Two\n",
        "\n```\n",
        "~~~\n",
        "𝄞",
        "👩‍👧",
        "é",
        "\u0301",
        "\u3000",
        "e.g. ",
        "x" * 50,
    ),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))


def split(text: str, size: int, overlap: int = 0, by: SplitBy = SplitBy.SENTENCES) -> list[str]:
    return split_texts([text], ChunkRules(size=size, overlap=overlap, by=by))


@given(
    text=TEXTS,
    size=st.integers(1, 40),
    overlap=st.integers(0, 39),
    by=st.sampled_from(SplitBy),
)
def test_chunks_without_their_overlap_are_the_text_and_none_is_longer_than_the_size(
    text: str, size: int, overlap: int, by: SplitBy
) -> None:
    overlap = min(overlap, size - 1)

    chunks = split(text, size, overlap, by)

    assert "".join(chunks[:1] + [chunk[overlap:] for chunk in chunks[1:]]) == text
    assert all(overlap < len(chunk) <= size for chunk in chunks[1:])
    assert all(0 < len(chunk) <= size for chunk in chunks[:1])
    ends = [before[len(before) - overlap :] for before in chunks[:-1]]
    assert [chunk[:overlap] for chunk in chunks[1:]] == ends


def test_characters_are_windows_of_the_size() -> None:
    assert split("One two.", 3, by=SplitBy.CHARACTERS) == ["One", " tw", "o."]
    assert split("abcdefgh", 4, 2, SplitBy.CHARACTERS) == ["abcd", "cdef", "efgh"]


def test_an_astral_character_is_one_and_is_never_halved() -> None:
    assert split("𝄞𝄞𝄞", 2, by=SplitBy.CHARACTERS) == ["𝄞𝄞", "𝄞"]


@pytest.mark.parametrize(
    ("text", "size", "chunks"),
    [
        ("One. Two. Three.", 10, ["One. Two. ", "Three."]),
        ("Really?! Yes… No.", 9, ["Really?! ", "Yes… No."]),
        ('He said "No." She left.', 16, ['He said "No." ', "She left."]),
        ("Ask Dr. Who. He knows e.g. the time.", 26, ["Ask Dr. Who. ", "He knows e.g. the time."]),
        ("It is so. We met Dr. Who there.", 21, ["It is so. ", "We met Dr. Who there."]),
        ("It is so. We met J. R. Who.", 20, ["It is so. ", "We met J. R. Who."]),
        ("It is so. Es gibt z.B. Salz.", 23, ["It is so. ", "Es gibt z.B. Salz."]),
        ("一。二！三？四", 4, ["一。二！", "三？四"]),
        ("Title\n\nText of it", 12, ["Title\n\n", "Text of it"]),
        ("Title\r\n\r\nText of it", 12, ["Title\r\n\r\n", "Text of it"]),
        ("Version 3.14 is out. Go.", 21, ["Version 3.14 is out. ", "Go."]),
    ],
)
def test_whole_sentences_are_packed_up_to_the_size(text: str, size: int, chunks: list[str]) -> None:
    assert split(text, size) == chunks


def test_a_longer_sentence_is_cut_after_a_line_or_a_word_and_a_long_word_anywhere() -> None:
    assert split("one two three four", 10) == ["one two ", "three four"]
    assert split("row one\nrow two\nrow", 15) == ["row one\n", "row two\nrow"]
    assert split("x" * 7, 3) == ["xxx", "xxx", "x"]


def test_headings_begin_chunks() -> None:
    text = "Before.\n# One\nText. More.\n## Two\n# Three\n"

    chunks = split(text, 100, by=SplitBy.HEADINGS)

    assert chunks == ["Before.\n", "# One\nText. More.\n", "## Two\n", "# Three\n"]


def test_a_longer_section_is_cut_at_its_sentences() -> None:
    text = "# One\nIt is long. It goes on.\n# Two\n"

    chunks = split(text, 22, by=SplitBy.HEADINGS)

    assert chunks == ["# One\nIt is long. ", "It goes on.\n", "# Two\n"]


@pytest.mark.parametrize(
    "text", ["#no\nx", "a # b\n", "    # code\n", "####### x\n", "```\n# x\n```\n"]
)
def test_a_mark_that_is_no_heading_begins_no_chunk(text: str) -> None:
    assert split(f"a\n{text}", 100, by=SplitBy.HEADINGS) == [f"a\n{text}"]


def test_a_heading_after_fenced_code_counts() -> None:
    chunks = split("~~~\n# x\n~~~~\n# y\n", 100, by=SplitBy.HEADINGS)

    assert chunks == ["~~~\n# x\n~~~~\n", "# y\n"]


def test_the_first_chunk_is_no_shorter_than_the_overlap() -> None:
    assert split("# A\n# B\n# C\n", 100, 6, SplitBy.HEADINGS) == [
        "# A\n# B\n",
        "A\n# B\n"[-6:] + "# C\n",
    ]


def test_the_chunks_of_several_texts_follow_one_another_and_do_not_overlap() -> None:
    rules = ChunkRules(size=3, overlap=1, by=SplitBy.CHARACTERS)

    assert split_texts(["abcd", "", "xy"], rules) == ["abc", "cd", "xy"]


def test_an_empty_text_has_no_chunks() -> None:
    assert split("", 10) == []


def test_too_many_chunks_are_refused_before_they_are_made() -> None:
    with cpu_limit(1), pytest.raises(TooManyChunks):
        split("x" * 10_000_000, 1, by=SplitBy.CHARACTERS)
    with cpu_limit(2), pytest.raises(TooManyChunks):
        split("# a\n" * 200_000, 1_000, by=SplitBy.HEADINGS)


def test_an_overlap_that_repeats_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_chunks, "MAX_CHARACTERS", 1_000)

    with pytest.raises(TooManyChunks):
        split("x" * 200, 100, 99, SplitBy.CHARACTERS)


@pytest.mark.A101d
@pytest.mark.parametrize(
    "unit",
    [
        "x",
        ".",
        " ",
        "\n",
        "\r\n",
        "\n ",
        ". ",
        ".)",
        "。",
        "」",
        "#",
        "# ",
        "`",
        "```\n",
        "a. ",
        "é.",
    ],
    ids=repr,
)
@pytest.mark.parametrize("by", [SplitBy.SENTENCES, SplitBy.HEADINGS])
def test_a_hostile_text_of_a_megabyte_takes_a_moment(unit: str, by: SplitBy) -> None:
    text = unit * (1_000_000 // len(unit))

    with cpu_limit(3):
        chunks = split(text, 1_000, 100, by)

    assert len(chunks) < 10_000
