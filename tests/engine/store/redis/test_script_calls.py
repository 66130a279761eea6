"""Every call of a script in the sources has the names of the script's header."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.redis.scripts import SCRIPTS

ROOT = Path(__file__).parents[4]
CALLERS = sorted(
    path
    for folder in ("engine", "gateway", "workers", "deploy", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "SCRIPTS[" in path.read_text()
)


def script_name(node: ast.expr | None) -> str | None:
    """Return the name of the script of `SCRIPTS["name"]`."""
    match node:
        case ast.Subscript(value=ast.Name("SCRIPTS"), slice=ast.Constant(str() as name)):
            return name
    return None


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of scripts in a file, each with the script's name."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(attr="call"), args=[script, *_]):
                name = script_name(script)
            case ast.Call(func=ast.Attribute(value=script, attr="words" | "command")):
                name = script_name(script)
            case _:
                continue
        if name:
            yield name, node


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_calls_of_scripts_have_the_names_of_the_header(path: Path) -> None:
    for name, call in calls(path):
        names = SCRIPTS[name].names
        parameters = (*names.keys, *names.arguments)
        required = {each.name for each in parameters if not each.is_optional and each.size}
        given = {keyword.arg for keyword in call.keywords}

        place = f"line {call.lineno}, {name}"
        assert len(call.args) == (ast.unparse(call.func).endswith(".call")), place
        assert given <= {each.name for each in parameters}, place
        assert given >= required, place


def test_every_script_has_a_caller_in_the_sources() -> None:
    sources = [path for path in CALLERS if path.relative_to(ROOT).parts[0] != "tests"]

    assert {name for path in sources for name, _ in calls(path)} == set(SCRIPTS)
