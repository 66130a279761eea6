"""The bench of documents: its page has the figures, its measures tell right from wrong, it runs."""

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.documents.__main__ import QUICK, page
from tests.benchmarks.documents.figures import Reading
from tests.benchmarks.processes import REPOSITORY
from tests.support.documents.corpus.corpus import every_document
from tests.support.documents.corpus.measures import Shares, measure

FACTS = {"commit": "0123abcd", "load": (0.5, 2.0)}


def test_the_page_has_all_figures() -> None:
    shares = Shares(recall=0.5, precision=1.0, order=0.25, cells=None)
    read = Reading(
        name="letter",
        content_type="application/pdf",
        bytes=1_500,
        pages=3,
        shares=shares,
        cpu_seconds=0.1,
        peak_mb=60.4,
    )
    wrong = Reading(name="cut", content_type="text/csv", bytes=9, fault="it is read", reason="x")

    text = page(FACTS, [read, wrong])

    assert "| PDF | 1 | 50.0 | 100.0 | 25.0 | – | 30 | 60 |" in text
    assert "| PDF: letter | 1.5 | 3 | 50.0 | 100.0 | 25.0 | – | 100.0 | 60 |" in text
    assert "**cut** is not read as it should be: it is read." in text


def test_words_are_counted_and_compared_in_order() -> None:
    shares = measure("One two, three! two", [], "three one [two](https://a.example) four", [])

    assert (shares.recall, shares.precision, shares.order) == (0.75, 0.75, 0.5)
    assert shares.cells is None


def test_cells_count_at_their_place_with_their_type() -> None:
    truth = [[["a", "b"], [1, None]], [["c"]]]

    found = [[["c"]], [["a", "x"], ["1", None]]]

    assert measure("", truth, "", found).cells == 3 / 5
    assert measure("", truth, "", []).cells == 0


def test_the_corpus_has_forty_documents_with_names_of_their_own() -> None:
    documents = list(every_document())

    assert len(documents) >= 40
    names = {(each.content_type, each.name) for each in documents}
    assert len(names) == len(documents)
    assert {name for _, name in names} >= QUICK


def test_a_few_documents_are_read_as_they_should_be(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "tests.benchmarks.documents",
        "--quick",
        "--output",
        str(tmp_path),
    ]

    subprocess.run(words, cwd=REPOSITORY, check=True, capture_output=True)

    documents = json.loads((tmp_path / "documents.json").read_text())["documents"]
    assert len(documents) == len(QUICK)
    for each in documents:
        if each["name"] != "password":
            assert each["shares"]["recall"] == each["shares"]["order"] == 1.0, each
            assert each["shares"]["cells"] in (None, 1.0), each
