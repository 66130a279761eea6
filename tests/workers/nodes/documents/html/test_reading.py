"""HTML as Markdown."""

import pytest

from engine.nodes.support.documents import DocumentText
from workers.nodes.documents.html.reading import read_html


def read(html: str) -> DocumentText:
    return read_html("text/html", html.encode())


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h2>A <em>b</em>\n c</h2><p>d\n e", "## A b c\n\nd e"),
        ("<p>a<br>b<p>c", "a\nb\n\nc"),
        ("a&nbsp;b &amp; &lt;c&gt; &euro;", "a\xa0b & <c> €"),
        ("<style>x</style><script>if (a<b) alert('</p>')</script>y<template>z</template>", "y"),
        (
            "<svg><b>a</b></svg>b<p hidden>c<p>d<div style='Display: none'>e<div>f</div></div>g",
            "b\n\nd\n\ng",
        ),
        ("<a href='https://a.example/(x)'> t </a>", "[t](https://a.example/%28x%29)"),
        ("<a href='/x?y=1'>t</a> <a href='javascript:a()'>u</a> <a>v</a>", "[t](/x?y=1) u v"),
        (
            "<ul><li>a<li>b<ul><li>c</ul></ul><ol start=3><li>d<li>e</ol>f",
            "- a\n- b\n  - c\n3. d\n4. e\n\nf",
        ),
        ("<pre>a\n  b</pre>c", "```\na\n  b\n```\n\nc"),
        ("<img alt='A cat' src='http://a.example/x.png'>", "A cat"),
    ],
)
def test_elements_become_markdown(html: str, text: str) -> None:
    assert read(html).text == text


def test_tables_are_given_by_themselves_too() -> None:
    contents = read(
        "<table><tr><th>A<th colspan=2>B<tr><td rowspan=2>1<td>2<td><p>3<p>4<tr><td>5<td>"
        "<table><tr><td>in<td>ner</table></table>after"
    )

    assert contents.tables == (
        [["in", "ner"]],
        [["A", "B", ""], ["1", "2", "3\n4"], ["", "5", "in ner"]],
    )
    assert contents.text == (
        "| A | B |  |\n| --- | --- | --- |\n| 1 | 2 | 3 4 |\n|  | 5 | in ner |\n\nafter"
    )


def test_deep_nesting_ends() -> None:
    assert "end" in read("<div><ul><li><table><tr><td>" * 20_000 + "end").text
