"""Changes of one member of a manifest's text, for every member of every manifest that ships."""

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page

from gateway.ui import build_pages
from tests.support.e2e.bundles import open_functions

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
ENTRY = build_pages.SOURCES / "src" / "models" / "editor" / "toml.ts"
SHIPPED = sorted(Path("engine/models/shipped").glob("*.toml"))
CHANGE = "([text, path, value]) => toml.withMember(text, path, value ?? undefined)"
Steps = list[str | int]


@pytest.fixture(scope="module")
def functions(chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An empty page with the functions of the editor as `toml`."""
    page = open_functions(chromium, ENTRY, "toml", tmp_path_factory.mktemp("toml"))
    yield page
    page.close()


def members(value: Any, path: Steps) -> Iterator[tuple[Steps, Any]]:
    """Yield the paths of all texts, numbers and flags, with their values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from members(inner, [*path, key])
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, inner in enumerate(value):
            yield from members(inner, [*path, place])
    elif not isinstance(value, list):
        yield path, value


def other(value: Any) -> Any:
    """Return another value of the type."""
    if isinstance(value, bool):
        return not value
    return f'{value} "quoted" \\ ü' if isinstance(value, str) else value + 1


def put(table: dict[str, Any], path: Steps, value: Any) -> dict[str, Any]:
    """Return the table with another value at a path; None removes it."""
    result: Any = copy.deepcopy(table)
    at = result
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return dict(result)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_change_touches_one_line(functions: Page, file: Path) -> None:
    text = file.read_text()
    table = tomllib.loads(text)

    for path, value in members(table, []):
        new = other(value)
        changed = functions.evaluate(CHANGE, [text, path, new])

        assert tomllib.loads(changed) == put(table, path, new), path
        lines = list(zip(text.split("\n"), changed.split("\n"), strict=True))
        assert sum(old != line for old, line in lines) == 1, path


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_removal_takes_one_line_and_its_comment_away(functions: Page, file: Path) -> None:
    text = file.read_text()
    table = tomllib.loads(text)

    for path, _ in members(table, []):
        if isinstance(path[0], str) and len(path) == 1:
            changed = functions.evaluate(CHANGE, [text, path, None])

            assert tomllib.loads(changed) == put(table, path, None), path
            assert len(changed.split("\n")) == len(text.split("\n")) - 1, path


@pytest.mark.parametrize("name", ["fields", "pricing"])
def test_a_list_of_tables_is_begun_where_there_is_none(functions: Page, name: str) -> None:
    text = '# First.\nname = "A"\n\n[builtin]\ntemplate = "x"\n'
    rows = [{"name": "a"}, {"name": "b"}]

    changed = functions.evaluate(CHANGE, [text, [name], rows])

    assert changed.startswith(text)
    assert tomllib.loads(changed)[name] == rows
