"""Parts of files, sounds and tables on pages: kinds, forms of values, first rows of files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine.media.formats import media_kind_of
from gateway.ui import build_pages
from tests.support.e2e.bundles import open_functions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
SOURCES = build_pages.SOURCES / "src" / "playground" / "media"
ROWS = [["Item", "Sum"], ["Tea", 3]]
SEGMENTS = [{"start": 0, "end": 1.5, "text": "Hello."}]
Open = Callable[[str], "Page"]


@pytest.fixture(scope="module")
def functions(chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open an empty page in which `part` has the functions of a module."""
    pages: dict[str, Page] = {}

    def open_page(module: str) -> "Page":
        if module not in pages:
            folder: Path = tmp_path_factory.mktemp("part")
            pages[module] = open_functions(chromium, SOURCES / module, "part", folder)
        return pages[module]

    yield open_page
    for page in pages.values():
        page.close()


def test_a_file_has_the_kind_that_the_server_says(functions: Open) -> None:
    page = functions("kinds.ts")
    types = ["image/png", "video/webm", "audio/wav", "text/csv", "application/pdf", "text/html"]

    kinds = [page.evaluate("(type) => part.kindOfType(type)", each) for each in types]

    assert kinds == [media_kind_of(each).value for each in types]


def test_the_ten_types_of_files_are_offered_by_their_endings(functions: Open) -> None:
    accept = functions("kinds.ts").evaluate("() => part.acceptOf('file')").split(",")

    endings = {".pdf", ".docx", ".xlsx", ".pptx", ".csv", ".tsv", ".txt", ".md", ".html", ".json"}
    assert endings <= set(accept)
    assert functions("kinds.ts").evaluate("() => part.acceptOf('audio')") == "audio/*"


@pytest.mark.parametrize(
    ("value", "is_tables"),
    [
        ([ROWS], True),
        ([ROWS, []], True),
        ([[["", None], [1, True]], ROWS], True),
        ([], False),
        ([[]], False),
        (ROWS, False),
        ([[[0.5, 1.0], [0.25, 2.0]]], False),
        ([[[{"a": 1}, "b"]]], False),
        (["a text"], False),
    ],
)
def test_lists_of_tables_are_told_from_vectors_and_other_lists(
    value: Any, is_tables: bool, functions: Open
) -> None:
    page = functions("structured.ts")

    assert page.evaluate("(value) => part.isTables(value)", value) is is_tables


@pytest.mark.parametrize(
    ("value", "is_segments"),
    [
        (SEGMENTS, True),
        ([], False),
        ([{"start": "0", "end": 1, "text": "Hello."}], False),
        ([*SEGMENTS, None], False),
        (SEGMENTS[0], False),
    ],
)
def test_segments_are_told_by_their_members(value: Any, is_segments: bool, functions: Open) -> None:
    page = functions("structured.ts")

    assert page.evaluate("(value) => part.isSegments(value)", value) is is_segments


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00"), (7.5, "0:07.5"), (59.99, "1:00"), (61.04, "1:01"), (3_723.4, "1:02:03.4")],
)
def test_times_of_segments_read_as_those_of_players(
    seconds: float, words: str, functions: Open
) -> None:
    assert functions("structured.ts").evaluate("(at) => part.clock(at)", seconds) == words


READ = "([start, isTabbed, most]) => part.rowsOf(start, isTabbed, most)"


def test_a_row_that_the_beginning_of_a_file_cuts_is_left_out(functions: Open) -> None:
    text = "a;b\n1;2\n3;"
    page = functions("start.ts")

    whole = page.evaluate(READ, [{"text": text, "isCut": False}, False, 9])
    cut = page.evaluate(READ, [{"text": text, "isCut": True}, False, 9])
    first = page.evaluate(READ, [{"text": text, "isCut": True}, False, 1])

    assert whole == [["a", "b"], ["1", "2"], ["3", ""]]
    assert cut == [["a", "b"], ["1", "2"]]
    assert first == [["a", "b"]]


def test_commas_in_a_file_of_tabs_are_parts_of_its_cells(functions: Open) -> None:
    start = {"text": "a,b\tc,d\n1,2\t3,4\n", "isCut": False}

    rows = functions("start.ts").evaluate(READ, [start, True, 9])

    assert rows == [["a,b", "c,d"], ["1,2", "3,4"]]
