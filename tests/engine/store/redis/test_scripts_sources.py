"""Sources of commands: files of scripts and functions of keys, never texts of callers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.redis.scripts import SCRIPTS

ROOT = Path(__file__).parents[4]
SOURCES = sorted(
    path
    for package in ("engine", "gateway", "workers", "deploy")
    for path in (ROOT / package).rglob("*.py")
)
CALLERS = sorted(
    path
    for folder in ("engine", "gateway", "workers", "deploy", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "SCRIPTS[" in path.read_text()
)
PATTERNED = {"KEYS", "SCAN", "MATCH", "PSUBSCRIBE", "PUBSUB", "SORT"}
"""SSCAN and its like take a pattern only after MATCH."""
SENDING = {"send", "call", "execute_command", "_send"}


def calls(path: Path) -> Iterator[ast.Call]:
    """Yield the calls in a file that send a command to Redis."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
            yield from [node] if node.func.attr in SENDING else []


@pytest.mark.A68
def test_no_command_takes_a_pattern() -> None:
    words = [
        (path.name, argument.value)
        for path in SOURCES
        for call in calls(path)
        for argument in call.args
        if isinstance(argument, ast.Constant) and argument.value in PATTERNED
    ]

    assert set(words) <= {("copying.py", "SCAN")}  # of all keys, on a server of its own


@pytest.mark.A68
def test_no_command_and_no_key_is_put_together_where_it_is_sent() -> None:
    built = [
        f"{path.name}:{call.lineno}"
        for path in SOURCES
        if "store" in path.parts
        for call in calls(path)
        for argument in call.args[:2]
        if isinstance(argument, ast.BinOp)
        or any(isinstance(part, ast.JoinedStr) for part in ast.walk(argument))
    ]

    assert built == []


@pytest.mark.A68
def test_no_script_makes_code_of_a_text() -> None:
    scripts = sorted((ROOT / "engine" / "lua").rglob("*.lua"))

    assert len(scripts) > 80
    for script in scripts:
        for word in ("loadstring", "load(", "dofile", "setfenv", "'KEYS'", "'SCAN'", "'EVAL"):
            assert word not in script.read_text(), script.name


def script_name(node: ast.expr | None) -> str | None:
    """Return the name of the script of `SCRIPTS["name"]`."""
    match node:
        case ast.Subscript(value=ast.Name("SCRIPTS"), slice=ast.Constant(str() as name)):
            return name
    return None


def script_calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
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


def names_given(path: Path, call: ast.Call) -> Iterator[str | None]:
    """Yield the names of a call; `**f()` has those of the literal that a function `f` returns."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg=None, value=ast.Call(func=ast.Name(function))):
                [made] = [
                    node
                    for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.FunctionDef) and node.name == function
                ]
                match made.body[-1]:
                    case ast.Return(value=ast.Dict(keys=keys)):
                        yield from [ast.literal_eval(key) for key in keys if key]
            case _:
                yield keyword.arg


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_calls_of_scripts_have_the_names_of_the_header(path: Path) -> None:
    for name, call in script_calls(path):
        names = SCRIPTS[name].names
        parameters = (*names.keys, *names.arguments)
        required = {each.name for each in parameters if not each.is_optional and each.size}
        given = set(names_given(path, call))

        place = f"line {call.lineno}, {name}"
        assert len(call.args) == (ast.unparse(call.func).endswith(".call")), place
        assert given <= {each.name for each in parameters}, place
        assert given >= required, place


def test_every_script_has_a_caller_in_the_sources() -> None:
    sources = [path for path in CALLERS if path.relative_to(ROOT).parts[0] != "tests"]

    assert {name for path in sources for name, _ in script_calls(path)} == set(SCRIPTS)
