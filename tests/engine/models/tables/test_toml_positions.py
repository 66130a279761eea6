"""Lines of members in a TOML file, found by path."""

import pytest

from engine.models.tables.toml_positions import TomlPositions

TEXT = '''# name = "comment"
name = "one"
"quoted" = 1
dotted.member = 2

[http]
path = """
name = "in a text"
"""
[http.job]
id = "id"

[[fields]]
name = "first"

[[fields]]
name = "second"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("name", 2),
        ("quoted", 3),
        ("dotted", 4),
        ("http", 6),
        ("http.path", 7),
        ("http.job", 10),
        ("http.job.id", 11),
        ("fields", 13),
        ("fields[0].name", 14),
        ("fields[1]", 16),
        ("fields[1].name", 17),
    ],
)
def test_a_member_is_found_by_its_path(path: str, line: int) -> None:
    assert TomlPositions(TEXT).find(path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [("fields[1].min", 16), ("fields[7].name", 13), ("http.job.error.text", 10), ("missing", None)],
)
def test_a_missing_member_has_the_line_of_its_innermost_known_parent(
    path: str, line: int | None
) -> None:
    assert TomlPositions(TEXT).find(path) == line
