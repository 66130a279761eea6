"""Sources of the pages: short functions, files and folders, and imports without circles."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

SOURCES = Path(__file__).parents[3] / "gateway" / "ui" / "src"
MODULES = [
    path
    for ending in ("*.ts", "*.tsx")
    for path in SOURCES.rglob(ending)
    if path.name != "schemas.d.ts"
]
MOST_LINES = 80
MOST_LINES_OF_A_FILE = 400
MOST_ENTRIES = 20
OPENING = re.compile(
    r"( *)(?:"
    r"(?:export |default |async )*function\b.*"
    r"|.*=> \{"
    r"|(?!(?:if|for|while|switch)\b)(?:[a-z]+ )*\*?\w+(?:<.*>)?\(.*\{"
    r")"
)
"""First line of a function, of an arrow with a block, or of a method."""
IMPORT = re.compile(r"""(?:\bfrom|\bimport\(?) ?["'](\.[^"']+)["']""")


def functions(text: str) -> Iterator[tuple[str, int]]:
    """Yield the first line and the number of lines of each function; the sources are indented."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if opening := OPENING.fullmatch(line):
            brace = opening[1] + "}"
            for end, other in enumerate(lines[start + 1 :], start + 1):
                if other.startswith(brace) and not other.endswith("{"):
                    yield line.strip(), end - start + 1
                    break


def imports(module: Path) -> Iterator[Path]:
    """Yield the modules that a module imports, types included."""
    for place in IMPORT.findall(module.read_text()):
        for ending in (".ts", ".tsx"):
            if (found := (module.parent / (place + ending)).resolve()).is_file():
                yield found


def test_functions_are_found_whatever_their_form() -> None:
    function = "function f(\n  a: A,\n): B {\n  if (a) {\n  }\n}\n"
    arrow = "    const g = () => {\n    };\n"
    method = f"  private async m<T>(a: T): Promise<T> {{\n{arrow}  }}\n"
    text = f"{function}class C {{\n{method}}}\n"

    assert [lines for _, lines in functions(text)] == [6, 4, 2]


def test_a_function_is_short_enough_to_read() -> None:
    lengths = {
        f"{module.relative_to(SOURCES)}: {name}": lines
        for module in MODULES
        for name, lines in functions(module.read_text())
    }

    assert len(lengths) > 3 * len(MODULES)
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {str(module): {str(found) for found in imports(module)} for module in MODULES}

    assert sum(map(len, graph.values())) > 3 * len(MODULES)
    TopologicalSorter(graph).prepare()  # Raises CycleError with the circle.


def test_a_folder_has_at_most_twenty_entries() -> None:
    folders = [SOURCES, *(path for path in SOURCES.rglob("*") if path.is_dir())]
    counts = {str(folder): len(list(folder.iterdir())) for folder in folders}

    assert {name: count for name, count in counts.items() if count > MOST_ENTRIES} == {}


def test_a_file_is_short_enough_to_read() -> None:
    files = (*MODULES, *SOURCES.rglob("*.css"))
    lengths = {str(path): path.read_text().count("\n") for path in files}

    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FILE} == {}
