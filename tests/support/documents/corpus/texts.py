"""Text files of the corpus."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from tests.support.documents.corpus import contents as c
from tests.support.documents.corpus.document import CorpusDocument

QUOTED = [
    ["Name", "Remark", "Sum"],
    ['Brandt, "Ada"', "first line\nsecond line", "1,250.00"],
    ["Okafor", "", "007"],
    ["de Vries", "semicolon; and tab\there", "-3"],
]
DECIMAL = [["Hafen", "Tonnen", "Anteil"], ["Altstadt", "18,5", "0,4"], ["Neuhafen", "7,25", "0,6"]]

ARTICLE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Hidden</title>
<style>p {{ color: red }}</style><script>document.write("<p>never</p>")</script></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/archive">Archive</a></li></ul></nav>
<article><h1>The harbour</h1><p>{c.PARAGRAPHS[0]}</p><h2>Rules</h2>
<ol>{"".join(f"<li>{point}</li>" for point in c.POINTS)}</ol>
<p>{c.PARAGRAPHS[1].replace("Merchants", '<a href="https://a.example/m">Merchants</a>')}</p>
<p style="display:none">Never shown</p><!-- a remark --></article></body></html>"""


def _html_table(rows: list[list[str]]) -> str:
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table class='x'><tbody>{lines}</tbody></table>"


PAGE = f"<h1>{c.INVOICE_HEAD}</h1>{_html_table(c.INVOICE)}<p>{c.INVOICE_TEXT[2]}"
LOOSE = (
    f"<P>{c.PARAGRAPHS[2]}<P>Next<UL><LI>{c.POINTS[0]}<LI>{c.POINTS[1]}</UL>"
    f"<TABLE><TR><TH>a<TH>b<TR><TD>1<TD>2</TABLE><b>open &amp; <i>shut</b></i>"
)
README = (
    f"# Harbour\n\n{c.PARAGRAPHS[0]}\n\n- {c.POINTS[0]}\n- {c.POINTS[1]}\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n"
)


def every_text() -> Iterator[CorpusDocument]:
    """Yield the text files."""
    yield _text("text/csv", "quotes and lines", _csv(QUOTED, ","), c.flat(QUOTED), [QUOTED])
    yield _text("text/csv", "decimal commas", _csv(DECIMAL, ";"), c.flat(DECIMAL), [DECIMAL])
    yield _text(
        *("text/tab-separated-values", "tabs", _csv(c.STOCK, "\t"), c.flat(c.STOCK), [c.STOCK])
    )
    article = c.flat(
        *("Home Archive The harbour", c.PARAGRAPHS[0], "Rules"),
        *([f"{n + 1} {point}" for n, point in enumerate(c.POINTS)], c.PARAGRAPHS[1]),
    )
    page = c.flat(c.INVOICE_HEAD, c.INVOICE, c.INVOICE_TEXT[2])
    loose = c.flat(c.PARAGRAPHS[2], "Next", c.POINTS[:2], "a b 1 2 open & shut")
    yield _text("text/html", "article", ARTICLE, article)
    yield _text("text/html", "invoice", PAGE, page, [c.INVOICE])
    yield _text("text/html", "loose tags", LOOSE, loose, [[["a", "b"], ["1", "2"]]])
    yield _text("text/markdown", "readme", README, README)
    yield _text("text/plain", "umlauts", f"\ufeff{c.GERMAN}\r\n", c.GERMAN)
    yield _text("application/json", "object", '{"harbour": ["Anna", 18.5]}', "harbour Anna 18.5")


def _csv(rows: list[list[Any]], delimiter: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


def _text(kind: str, name: str, content: str, text: str, tables: Any = ()) -> CorpusDocument:
    return CorpusDocument(
        name=name, content_type=kind, make=content.encode, text=text, tables=tables
    )
