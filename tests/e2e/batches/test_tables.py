"""Tables as text: files are read as other programs write them, and written as they read them."""

import csv
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.ui import build_pages
from tests.support.e2e.bundles import open_functions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
SOURCES = build_pages.SOURCES / "src"
READ = "([text, separator]) => [...csv.readRows(text, separator)]"
ALPHABET = ['"', ",", ";", "\t", "\n", "\r\n", "a", "ä", "𝄞", " ", "'", "="]
Open = Callable[[str, str], "Page"]


@pytest.fixture
def functions(chromium: "Browser", tmp_path: Path) -> Iterator[Open]:
    """Open an empty page with the functions of a module under a name."""
    pages: list[Page] = []

    def open_page(module: str, name: str) -> "Page":
        pages.append(open_functions(chromium, SOURCES / module, name, tmp_path))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def written(rows: list[list[str]], **options: Any) -> str:
    text = io.StringIO()
    csv.writer(text, **options).writerows(rows)
    return text.getvalue()


def made_up(seed: int) -> list[list[str]]:
    """Return rows of one width with cells that need quotes."""
    chance = random.Random(seed)
    width = chance.randint(2, 4)
    cells = range(width)
    return [
        ["".join(chance.choices(ALPHABET, k=chance.randint(0, 6))) for _ in cells]
        for _ in range(chance.randint(1, 8))
    ]


def test_rows_are_read_as_other_programs_write_them(functions: Open) -> None:
    page = functions("playground/many/csv.ts", "csv")
    for seed in range(200):
        rows = made_up(seed)
        for separator in (",", ";", "\t", "|"):
            for ending in ("\n", "\r\n"):
                text = written(rows, delimiter=separator, lineterminator=ending)

                assert page.evaluate(READ, [text, separator]) == rows, (seed, separator)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(functions: Open, separator: str) -> None:
    page = functions("playground/many/csv.ts", "csv")
    rows = [["name", "text"], ["Ada", "Hello, Ada; how are you?"], ["Bob", "1,5"]]

    text = written(rows, delimiter=separator)

    assert page.evaluate("csv.separatorOf", text) == separator


def test_marks_blank_lines_and_a_file_without_a_last_line_end_are_read(functions: Open) -> None:
    page = functions("playground/many/csv.ts", "csv")

    rows = page.evaluate(READ, ["\ufeffa,b\r\n\r\n1,\n,2\n3,4", ","])

    assert rows == [["a", "b"], ["1", ""], ["", "2"], ["3", "4"]]
    assert page.evaluate(READ, ['"never closed\nx', ","]) == [["never closed\nx"]]


def test_columns_are_guessed_by_name_and_by_label_and_given_once(functions: Open) -> None:
    page = functions("playground/many/matching.ts", "matching")
    columns = [{"name": "full_name", "label": "Name"}, {"name": "age", "label": "Years of age"}]
    guess = "([heads, columns]) => matching.guess(heads, columns)"

    for heads, match in (
        (["Full Name", "AGE"], ["full_name", "age"]),
        (["name", "years_of_age", "other"], ["full_name", "age", ""]),
        (["Name", "full_name"], ["", "full_name"]),
        (["", "age", "age"], ["", "age", ""]),
    ):
        assert page.evaluate(guess, [heads, columns]) == match


def test_results_are_written_as_other_programs_read_them(functions: Open) -> None:
    page = functions("batches/batch/results.ts", "results")
    error = {"code": "http_status", "message": 'It said "no",\nand left'}
    items = [
        item(0, {"text": "=1+1", "number": -5, "list": [1, "a"]}),
        item(1, {"text": '-5, "quoted"'}),
        item(2, None) | {"status": "failed", "error": error},
        item(3, {"text": "-5"}),
    ]

    text = page.evaluate("items => results.asTable(items)", items)

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["index"] for row in rows] == ["0", "1", "2", "3"]
    texts = [row["result.text"] for row in rows]
    assert texts == ["'=1+1", '\'-5, "quoted"', "", "-5"]
    assert (rows[0]["result.number"], rows[0]["result.list"]) == ("-5", '[1,"a"]')
    assert (rows[2]["errorCode"], rows[2]["errorMessage"]) == tuple(error.values())


@pytest.mark.A101a
@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-x", "@a", "\t=1", "\r=1", "\n=1", "＝1", "-Infinity"]
)
def test_no_text_is_computed_by_a_spreadsheet(functions: Open, text: str) -> None:
    page = functions("batches/batch/results.ts", "results")

    table = page.evaluate("items => results.asTable(items)", [item(0, text)])

    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert row["result"] == f"'{text}"


def test_results_that_are_no_objects_have_one_column(functions: Open) -> None:
    page = functions("batches/batch/results.ts", "results")

    text = page.evaluate("items => results.asTable(items)", [item(0, "a"), item(1, {"b": 1})])

    assert [row["result"] for row in csv.DictReader(io.StringIO(text))] == ["a", '{"b":1}']


def item(index: int, result: Any) -> dict[str, Any]:
    return {
        "index": index,
        "status": "completed",
        "executionId": "id",
        "result": result,
        "error": None,
        "creditsCost": 0,
    }
