"""Make a virtual environment small, and compile it.

A script of a build stage, which needs the standard library alone: `finish_environment.py FOLDER`.
"""

import compileall
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

COMMANDS = frozenset({"headrace", "python", "python3", "python3.13"})
SOURCES = frozenset({".c", ".cpp", ".h", ".pxd", ".pyi", ".pyx"})
"""Suffixes of files for compilers and type checkers."""
UNUSED = (
    "*.dist-info/direct_url.json",
    "*.dist-info/sboms",
    "cel_expr_python/ext/ext_proto.*",  # for messages of protobuf, which no expression has
    "networkx/**/tests",
)
UNCOMPILED = re.compile(r"/(pygments|sqlalchemy/(dialects/(mssql|mysql|oracle)|testing))/")
"""Modules that no command imports, which stay without bytecode."""


def remove_commands(folder: Path) -> None:
    """Remove commands of other packages, and scripts for shells."""
    for path in (folder / "bin").iterdir():
        if path.name not in COMMANDS:
            path.unlink()


def remove_unused(site: Path) -> None:
    """Remove tests, sources of extension modules, and folders that cannot be imported."""
    found = [path for path in site.iterdir() if path.is_dir() and not _can_be_used(path)]
    found += [path for pattern in UNUSED for path in site.glob(pattern)]
    found += [path for path in site.rglob("*") if path.suffix in SOURCES and path.is_file()]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def _can_be_used(folder: Path) -> bool:
    """Return whether a folder is a package, the description of one, or its libraries."""
    return folder.name.isidentifier() or folder.suffix in (".dist-info", ".libs")


def correct_records(site: Path) -> None:
    """Take files that were removed out of the lists of installed files."""
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if (site / _path(line)).exists()]
        record.write_text("".join(kept), encoding="utf-8")


def _path(line: str) -> str:
    """Return the path of a line; a path with a comma is quoted."""
    return line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]


def extension_modules(site: Path) -> Iterator[Path]:
    """Yield extension modules.

    Libraries in folders of their own were edited after they were linked, which `strip` can break.
    """
    for path in sorted(site.rglob("*.so")):
        if not any(part.endswith(".libs") for part in path.parts):
            yield path


def strip(site: Path) -> None:
    """Remove symbols for debuggers from extension modules."""
    for path in extension_modules(site):
        command = ["strip", "--strip-unneeded", "--preserve-dates", str(path)]
        subprocess.run(command, check=True)


def compile_bytecode(site: Path) -> None:
    """Compile modules; bytecode is believed without a look at the source, which cannot change."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # Templates of packages are no modules, and some do not compile.
    compileall.compile_dir(site, quiet=2, invalidation_mode=unchecked, rx=UNCOMPILED)


def main(folder: Path) -> None:
    """Finish the environment of a folder."""
    [site] = folder.glob("lib/python*/site-packages")
    remove_commands(folder)
    remove_unused(site)
    correct_records(site)
    strip(site)
    compile_bytecode(site)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
