"""Parts of a stack that are forked: their command, their output, their end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.deploy.stack.test_supervisor import gone

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio, json, os, signal, sys
from deploy.stack import fork_server, fork_server_process
from deploy.stack.fork_server import ForkServer

fork_server.FORK_SECONDS = 0.5
fork_server.RESTART_SECONDS = 0.1
fork_server_process.PRELOAD = ()
forks = ForkServer.open()

async def main():
    loop = asyncio.get_running_loop()
    for line in iter(sys.stdin.readline, ""):
        command = json.loads(line)
        if command in ("end server", "stop server"):
            number = signal.SIGKILL if command == "end server" else signal.SIGSTOP
            os.kill(forks._process.pid, number)
            print(json.dumps(forks._process.pid), flush=True)
            continue
        if command == "pause":
            await asyncio.sleep(0.1)
            print(json.dumps(forks._process.pid), flush=True)
            continue
        part = await forks.fork(["python", "-m", "deploy", *command], {"COLUMNS": "60"}, 2, 9)
        print(json.dumps(part and part.pid), flush=True)
        if part and command != ["stub-provider", "--port", "0"]:
            print(json.dumps(await part.wait()), flush=True)

asyncio.run(main())
"""
SERVING = ["stub-provider", "--port", "0"]


class Supervisor:
    """A process with a fork server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, request: Any) -> Any:
        """Send a request and return its first answer."""
        self.send(request)
        return self.answer()

    def send(self, request: Any) -> None:
        """Send a request."""
        _stream(self.process.stdin).write(json.dumps(request) + "\n")
        _stream(self.process.stdin).flush()

    def answer(self) -> Any:
        """Return the next answer."""
        return json.loads(_stream(self.process.stdout).readline())

    def output(self) -> str:
        """Return the next line that a part has printed."""
        return _stream(self.process.stderr).readline()


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextmanager
def supervisor() -> Iterator[Supervisor]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PROGRAM, "longer", "than", "the", "commands", "of", "parts"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield Supervisor(process)
        finally:
            process.kill()


async def test_a_part_runs_its_command_and_its_exit_code_is_known() -> None:
    with supervisor() as run:
        assert isinstance(run.ask(["--version"]), int)
        assert run.answer() == 0
        assert run.output().startswith("headrace")

        assert isinstance(run.ask(["worker", "--no-such-option"]), int)
        assert run.answer() == 2


async def test_a_part_is_a_process_like_one_that_was_started_by_command() -> None:
    with supervisor() as run:
        pid = run.ask(SERVING)
        assert run.output().startswith("ready http://")

        line = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        assert line == [b"python", b"-m", b"deploy", b"stub-provider", b"--port", b"0"]
        assert os.getpgid(pid) == pid
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        assert int(stat[1]) == run.process.pid
        assert Path(f"/proc/{pid}/fd/0").readlink() == Path(os.devnull)

        os.kill(pid, signal.SIGTERM)
        await gone(pid)


async def test_parts_end_when_their_supervisor_is_killed() -> None:
    with supervisor() as run:
        pid = run.ask(SERVING)
        run.output()

        run.process.kill()

        await gone(pid)


def until_forked(run: Supervisor) -> Any:
    """Ask for a part until it is forked; return its process id."""
    for _ in range(600):
        pid = run.ask(["--version"])
        if pid is not None:
            assert run.answer() == 0
            return pid
        run.ask("pause")
    raise AssertionError("nothing was forked")


@pytest.mark.F61
async def test_a_dead_server_is_reaped_and_replaced_and_parts_go_on() -> None:
    with supervisor() as run:
        pid = run.ask(SERVING)
        run.output()

        server = run.ask("end server")

        while (other := run.ask("pause")) == server:
            pass
        assert not Path(f"/proc/{server}").exists()  # no zombie
        assert isinstance(until_forked(run), int)
        assert run.ask("pause") == other
        assert Path(f"/proc/{pid}/fd/0").exists()


@pytest.mark.F61
async def test_a_hung_server_holds_up_one_start_for_a_short_time_and_is_replaced() -> None:
    with supervisor() as run:
        assert isinstance(run.ask(["--version"]), int)
        assert run.answer() == 0
        server = run.ask("stop server")

        began = time.monotonic()
        assert run.ask(["--version"]) is None  # it is started by command
        assert time.monotonic() - began < 20

        assert isinstance(until_forked(run), int)
        assert run.ask("pause") != server
        assert not Path(f"/proc/{server}").exists()
