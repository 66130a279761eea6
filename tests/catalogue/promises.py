"""Promises of docs/guarantees.md, and the rows that prove each."""

import re

from tests.catalogue.repository import ROOT

PAGE = ROOT / "docs" / "guarantees.md"
SECTION = re.compile(r"^## (?P<title>.+)$(?P<text>(?:\n(?!#).*)*)", re.MULTILINE)
ROWS = re.compile(r"^Rows: (?P<ids>.+)\.$", re.MULTILINE)


def promises() -> dict[str, list[str]]:
    """Return the ids of rows by the title of their promise, in the order of the page."""
    found = {}
    for section in SECTION.finditer(PAGE.read_text(encoding="utf-8")):
        named = ROWS.search(section["text"])
        found[section["title"]] = named["ids"].split(", ") if named else []
    return found
