"""Layout of pages: columns in reading order, headings, lists, and tables of both kinds."""

from collections.abc import Sequence

from engine.nodes.support.documents import DocumentOptions, DocumentText
from tests.support.documents.small_pdf import lines, pdf_of, put
from workers.nodes.documents.pdf.reading import read_pdf
from workers.nodes.documents.pdf.rows import join_words
from workers.nodes.documents.pdf.words import Word

PROSE = "words of a line that fill a column"


def read(*content: bytes) -> DocumentText:
    return read_pdf(pdf_of([b" ".join(content)]), DocumentOptions())


def grid(lefts: Sequence[float], tops: Sequence[float]) -> bytes:
    across = [(lefts[0], y, lefts[-1], y) for y in tops]
    return lines(*across, *[(x, tops[0], x, tops[-1]) for x in lefts])


def spread(lefts: Sequence[float], y: float, texts: Sequence[str]) -> list[bytes]:
    return [put(x, y, text) for x, text in zip(lefts, texts, strict=True)]


def word(text: str, left: float) -> Word:
    return Word(left, 0, left + 5, 10, text, 10)


def test_columns_are_read_one_after_the_other_below_a_title() -> None:
    left = [put(50, 700 - 12 * n, f"L{n} {PROSE}") for n in range(6)]
    right = [put(320, 700 - 12 * n, f"R{n} {PROSE}") for n in range(6)]
    title = put(150, 750, "A title over both of the columns", 20)

    text = read(title, *[each for pair in zip(left, right, strict=True) for each in pair]).text

    assert text.startswith("# A title over both of the columns\n\nL0")
    order = [line[:2] for line in text.splitlines()[2:] if line]
    assert order == [*[f"L{n}" for n in range(6)], *[f"R{n}" for n in range(6)]]


def test_columns_need_not_have_the_same_lines() -> None:
    left = [put(50, 700 - 12 * n, f"L{n} {PROSE}") for n in range(6)]
    right = [put(320, 694 - 13 * n, f"R{n} {PROSE}") for n in range(6)]

    order = [line[:2] for line in read(*left, *right).text.splitlines() if line]

    assert order == [*[f"L{n}" for n in range(6)], *[f"R{n}" for n in range(6)]]


def test_a_table_without_lines_has_cells_by_its_gaps() -> None:
    rows = [("Article", "Amount", "Price"), ("Long screws", "3", "0.25"), ("Nuts", "12", "1.50")]
    placed = [
        put(x, 600 - 18 * n, cell)
        for n, row in enumerate(rows)
        for x, cell in zip((50, 200, 300), row, strict=True)
    ]

    contents = read(put(50, 640, "Dear reader, these are the articles of today:"), *placed)

    assert contents.tables == ([list(row) for row in rows],)
    assert contents.text == (
        "Dear reader, these are the articles of today:\n\n"
        "| Article | Amount | Price |\n| --- | --- | --- |\n"
        "| Long screws | 3 | 0.25 |\n| Nuts | 12 | 1.50 |"
    )


def test_a_table_between_lines_has_their_cells_even_where_texts_are_close() -> None:
    content = [
        grid((50, 100, 150), (700, 680, 640)),
        *(put(52, 685, "Name"), put(102, 685, "Longername")),
        *(put(52, 665, "one"), put(52, 650, "two"), put(102, 665, "3 | 4")),
    ]

    contents = read(*content, put(50, 600, "after"))

    assert contents.tables == ([["Name", "Longername"], ["one two", "3 | 4"]],)
    assert contents.text.endswith("| one two | 3 \\| 4 |\n\nafter")


def test_joined_cells_have_their_text_once() -> None:
    content = [
        lines((50, 700, 250, 700), (50, 680, 250, 680), (50, 660, 250, 660)),
        lines((50, 700, 50, 660), (250, 700, 250, 660), (150, 680, 150, 660)),
        *(put(120, 685, "Over both"), put(52, 665, "a"), put(152, 665, "b")),
    ]

    assert read(*content).tables == ([["Over both", ""], ["a", "b"]],)


def test_a_frame_and_a_line_are_no_table() -> None:
    frame = grid((40, 560), (800, 500))

    contents = read(frame, put(50, 700, "Inside"), lines((50, 690, 300, 690)))

    assert (contents.text, contents.tables) == ("Inside", ())


def test_headings_are_larger_than_most_letters() -> None:
    body = [put(50, 600 - 12 * n, PROSE) for n in range(8)]

    text = read(put(50, 700, "First", 20), put(50, 660, "Second", 15), *body).text

    assert text.startswith("# First\n\n## Second\n\nwords")


def test_paragraphs_and_items_follow_from_gaps_and_marks() -> None:
    content = [
        *(put(50, 700, "One"), put(50, 688, "paragraph"), put(50, 660, "Next")),
        *(put(50, 630, "•"), put(70, 630, "item"), put(50, 618, "•"), put(70, 618, "other")),
    ]

    assert read(*content).text == "One\nparagraph\n\nNext\n\n- item\n- other"


def test_a_block_of_addresses_is_no_part_of_the_table_below_a_heading() -> None:
    above = [("Timber Ltd", "Invoice 17"), ("4 Quay", "14 March"), ("Oldtown", "Customer 11")]
    rows = [("Article", "Pieces", "Sum"), ("Boards", "12", "222.00"), ("Nails", "3", "29.70")]
    placed = [
        *(each for n, row in enumerate(above) for each in spread((50, 430), 760 - 14 * n, row)),
        put(50, 690, "Invoice", 20),
        *(each for n, row in enumerate(rows) for each in spread((50, 400, 460), 660 - 18 * n, row)),
    ]

    contents = read(*placed)

    assert contents.tables[-1] == [list(row) for row in rows]
    assert "# Invoice\n\n| Article | Pieces | Sum |" in contents.text


def test_words_from_right_to_left_are_read_from_the_right() -> None:
    words = join_words([word("abc", 10), word("גד", 30), word("אב", 60), word("הו", 5)])

    assert words == "אב גד abc הו"


def test_items_of_an_invoice_stay_rows_where_their_texts_have_several_lines() -> None:
    rows = [("No", "Article", "Pieces", "Sum")]
    rows += [(str(n), f"Board {n} of oak", f"{n + 2}", f"{n}.50") for n in range(1, 5)]
    placed = []
    for n, row in enumerate(rows):
        placed += spread((50, 90, 300, 400), 700 - 50 * n if n else 670, row)
        if n:
            placed += [put(90, 688 - 50 * n, "planed"), put(90, 676 - 50 * n, "by hand")]

    contents = read(*placed)

    assert contents.tables == (
        [
            list(rows[0]),
            *([a, f"{b} planed by hand", c, d] for a, b, c, d in rows[1:]),
        ],
    )


def test_a_text_across_two_columns_of_a_table_does_not_join_them() -> None:
    rows = [("Boards", "12", "18.50", "222.00"), ("Nails", "3", "9.90", "29.70")] * 2
    placed = [
        each
        for n, row in enumerate(rows)
        for each in spread((50, 120, 180, 260), 700 - 18 * n, row)
    ]
    total = [put(50, 628, "Discount for partners"), put(260, 628, "1.00")]

    contents = read(*placed, *total)

    assert contents.tables == ([*map(list, rows), ["Discount for partners", "", "", "1.00"]],)


def test_a_head_with_narrow_gaps_is_parted_as_the_rows_below_are() -> None:
    rows = [("Boards", "12", "222.00"), ("Nails", "3", "29.70"), ("Oil", "1", "9.00")]
    placed = [
        each for n, row in enumerate(rows) for each in spread((50, 105, 200), 682 - 18 * n, row)
    ]
    head = spread((50, 105, 200), 700, ("Name of it", "Amount no.", "Sum"))

    contents = read(*head, *placed)

    assert contents.tables == ([["Name of it", "Amount no.", "Sum"], *map(list, rows)],)


def test_a_head_whose_texts_fill_all_gaps_belongs_to_its_table() -> None:
    rows = [("Boards", "12", "222.00"), ("Nails", "3", "29.70"), ("Oil", "1", "9.00")]
    placed = [
        each for n, row in enumerate(rows) for each in spread((50, 105, 164), 682 - 18 * n, row)
    ]
    head = spread((50, 105, 164), 700, ("Name of it", "Amount no.", "Sum"))

    contents = read(*head, *placed)

    assert contents.tables == ([["Name of it", "Amount no.", "Sum"], *map(list, rows)],)


def test_rows_without_lines_between_them_are_rows_where_they_have_numbers() -> None:
    content = [
        grid((50, 150, 250), (700, 680, 640)),
        *(put(52, 685, "Month"), put(152, 685, "Sum")),
        *(put(52, 665, "May"), put(152, 665, "1,200"), put(52, 650, "June"), put(152, 650, "900")),
    ]

    assert read(*content).tables == ([["Month", "Sum"], ["May", "1,200"], ["June", "900"]],)


def test_a_cell_with_columns_of_its_own_is_a_frame() -> None:
    rows = [("Boards", "12", "222.00"), ("Nails", "3", "29.70"), ("Oil", "1", "9.00")]
    frame = lines(
        *((50, y, 350, y) for y in (720, 700, 600)),
        *((50, 720, 50, 600), (350, 720, 350, 600), (150, 720, 150, 700)),
    )
    head = [put(60, 706, "Order"), put(160, 706, "Customer")]
    placed = [
        each for n, row in enumerate(rows) for each in spread((60, 160, 280), 680 - 18 * n, row)
    ]

    contents = read(frame, *head, *placed)

    assert [list(row) for row in rows] == contents.tables[-1][-3:]


def test_a_word_that_is_printed_over_itself_is_read_once() -> None:
    twice = [put(50, 700, "Bold words"), put(50.4, 700, "Bold words")]

    assert read(*twice, put(50, 680, "words words")).text == "Bold words\n\nwords words"


def test_a_page_whose_text_is_turned_is_read_as_if_it_were_not() -> None:
    rows = [("Article", "Pieces", "Sum"), ("Boards", "12", "222.00"), ("Nails", "3", "29.70")]
    upright = [
        each for n, row in enumerate(rows) for each in spread((50, 200, 300), 400 - 18 * n, row)
    ]

    for turn in (b"0 1 -1 0 595 0 cm", b"0 -1 1 0 0 842 cm", b"-1 0 0 -1 595 842 cm"):
        assert read(turn, *upright).tables == ([list(row) for row in rows],)
