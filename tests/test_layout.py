"""The layout: few entries at each level, short modules and functions, one name for each class."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.support.suite.layout_exceptions import MANY_ENTRIES, TESTED_ELSEWHERE

ROOT = Path(__file__).parents[1]
ROUTES = Path("gateway/routes")
PACKAGES = ("engine", "gateway", "workers", "deploy")
MOST_ENTRIES = 20
GENERATED = {"node_modules", "__pycache__", "static", "generated"}
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
FILES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts
)
MODULES = [path for path in FILES if not path.name.startswith("__")]
CLIENT = Path("deploy/clients/python/headrace_client")
"""A distribution of its own, whose names are of its users: nothing of ours imports it."""


def entries(folder: Path) -> list[str]:
    """Return the names in a folder, but for those that every package has."""
    everywhere = {"__pycache__", "__init__.py"}
    return sorted(each.name for each in folder.iterdir() if each.name not in everywhere)


def find_tests(module: Path) -> list[Path]:
    """Return the test modules in the mirrored folder that have the name of the module.

    The test of a route may stand among the contract tests.
    """
    folders = [ROOT / "tests" / module.parent]
    if module.is_relative_to(ROUTES):
        folders.append(ROOT / "tests" / "contract" / module.parent.relative_to(ROUTES))
    names = (f"test_{module.stem}.py", f"test_{module.stem}_*.py")
    return [found for folder in folders for name in names for found in folder.glob(name)]


def test_a_folder_has_at_most_twenty_entries_or_a_reason() -> None:
    large = {
        folder.relative_to(ROOT).as_posix()
        for top in (*PACKAGES, "docs", "examples", "tests")
        for folder in [ROOT / top, *(ROOT / top).rglob("*/")]
        if not GENERATED & set(folder.parts) and len(entries(folder)) > MOST_ENTRIES
    }

    assert large == set(MANY_ENTRIES)


def test_a_module_has_a_test_module_of_its_name_or_a_reason() -> None:
    without_test = {module.as_posix() for module in MODULES if not find_tests(module)}

    assert sorted(without_test - set(TESTED_ELSEWHERE)) == [], "neither a test nor a reason"
    assert sorted(set(TESTED_ELSEWHERE) - without_test) == [], "a test, or no module, and a reason"


def test_no_two_public_classes_have_one_name() -> None:
    places = defaultdict(list)
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                distribution = module.is_relative_to(CLIENT)
                places[distribution, node.name].append(module.as_posix())

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_module_is_short_enough_to_read() -> None:
    lengths = {
        module.as_posix(): len((ROOT / module).read_text(encoding="utf-8").splitlines())
        for module in MODULES
    }

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_a_function_is_short_enough_to_read() -> None:
    lengths = {
        f"{path.as_posix()}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: lines for name, lines in lengths.items() if lines > MOST_FUNCTION_LINES} == {}
