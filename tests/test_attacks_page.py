"""The page of attacks names tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reference" / "attacks.md"


def test_the_page_of_attacks_names_tests_that_exist() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", PAGE.read_text()))

    assert named
    assert [name for name in sorted(named) if not (TESTS / name).is_file()] == []
