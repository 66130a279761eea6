"""Style sheets of the pages: what one page loads stays while others are shown."""

import re
from collections import defaultdict
from pathlib import Path

SOURCES = Path(__file__).parents[3] / "gateway" / "ui" / "src"
SHARED = "styles"
"""The folder of the sheets that every page has from the start."""
RULE = re.compile(r"([^{}]+)\{")
OUTSIDE_OF_PARENTHESES = re.compile(r",(?![^()]*\))")
LONE_CLASS = re.compile(r"\.([\w-]+)(?![\w.-])")


def test_a_class_is_styled_by_the_sheets_of_one_page_alone() -> None:
    pages = defaultdict(set)
    for sheet in SOURCES.rglob("*.css"):
        page = sheet.relative_to(SOURCES).parts[0]
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        for rule in RULE.findall(text):
            for selector in OUTSIDE_OF_PARENTHESES.split(rule):
                if (found := LONE_CLASS.match(selector.strip())) and page != SHARED:
                    pages[found[1]].add(page)

    assert len(pages) > 100
    assert {name: sorted(each) for name, each in pages.items() if len(each) > 1} == {}
