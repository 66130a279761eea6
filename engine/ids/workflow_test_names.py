"""Names of tests of workflows."""

import re

PATTERN = "[a-z][a-z0-9-]{0,31}"
RESERVED = ("draft", "run")
"""Words that stand in the place of a name in paths and queries."""
NAME_RULE = (
    "a name has 1 to 32 characters out of a-z, 0-9 and '-', begins with a letter, and is neither"
    " 'draft' nor 'run'"
)


def is_test_name(name: str) -> bool:
    """Return whether a text may be the name of a test."""
    return name not in RESERVED and re.fullmatch(PATTERN, name) is not None
