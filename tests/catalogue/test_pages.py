"""The reference pages of faults and attacks are those of the catalogue."""

import pytest

from tests.catalogue.pages import ORDER, PAGES, render
from tests.catalogue.rows import rows


@pytest.mark.parametrize("letter", PAGES)
def test_a_page_is_that_of_the_rows(letter: str) -> None:
    path, _ = PAGES[letter]

    assert path.read_text(encoding="utf-8") == render(letter), "`make catalogue` writes it anew"


def test_each_row_is_in_a_section_of_its_page() -> None:
    assert [each.id for each in rows().values() if each.group not in ORDER[each.id[0]]] == []
