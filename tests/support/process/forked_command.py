"""The `headrace` command as a process that need not import everything again.

A server imports the modules of the command once and forks for each call, which has its own
arguments, environment, output and exit code. A call takes a tenth of the CPU time that way.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO

COMMANDS = (
    *(
        "accounts",
        "audit",
        "backup",
        "doctor",
        "executions",
        "history",
        "init",
        "keys",
        "ledger",
        "login",
    ),
    *("migrate", "models", "run", "secrets", "sessions", "workflows"),
)
MODULES = (
    "deploy.cli",
    "deploy.client.documents",
    *(f"deploy.commands.{each}" for each in COMMANDS),
)
"""Modules that commands import, except those that start a part of the stack."""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([*MODULES])


def headrace(
    *arguments: str, environ: Mapping[str, str], timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. Raises TimeoutExpired."""
    with tempfile.NamedTemporaryFile() as output, tempfile.NamedTemporaryFile() as errors:
        names = (output.name, errors.name)
        process = FORKS.Process(target=_run, args=(arguments, dict(environ), names))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout, _read(output), _read(errors))
        code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(arguments, code, _read(output), _read(errors))


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _run(arguments: tuple[str, ...], environ: dict[str, str], files: tuple[str, str]) -> None:
    for number, name in enumerate(files, start=1):
        os.dup2(os.open(name, os.O_WRONLY), number)
    become(*arguments, environ=environ)


def become(*arguments: str, environ: Mapping[str, str]) -> None:
    """Run the command in this process, which is forked for it."""
    from deploy.cli import main

    os.environ.clear()
    os.environ.update(environ)
    sys.path[:0] = filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["headrace", *arguments]
    main()
