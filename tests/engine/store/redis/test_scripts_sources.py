"""Sources of commands: files of scripts and functions of keys, never texts of callers."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[4]
SOURCES = sorted(
    path
    for package in ("engine", "gateway", "workers", "deploy")
    for path in (ROOT / package).rglob("*.py")
)
PATTERNED = {"KEYS", "SCAN", "MATCH", "PSUBSCRIBE", "PUBSUB", "SORT"}
"""SSCAN and its like take a pattern only after MATCH."""
SENDING = {"send", "call", "execute_command", "_send"}


def calls(path: Path) -> Iterator[ast.Call]:
    """Yield the calls in a file that send a command to Redis."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
            yield from [node] if node.func.attr in SENDING else []


def test_no_command_takes_a_pattern() -> None:
    words = [
        (path.name, argument.value)
        for path in SOURCES
        for call in calls(path)
        for argument in call.args
        if isinstance(argument, ast.Constant) and argument.value in PATTERNED
    ]

    assert words == []


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


def test_no_script_makes_code_of_a_text() -> None:
    scripts = sorted((ROOT / "engine" / "lua").rglob("*.lua"))

    assert len(scripts) > 80
    for script in scripts:
        for word in ("loadstring", "load(", "dofile", "setfenv", "'KEYS'", "'SCAN'", "'EVAL"):
            assert word not in script.read_text(), script.name
