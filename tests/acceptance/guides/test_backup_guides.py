"""The pages about backups and about moving, command by command, on a stack of their own."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from deploy.net.http_client import call
from deploy.stack.location import read_private
from tests.support.acceptance.running_stack import environment, until
from tests.support.history.databases import create_database, server_of_run
from tests.support.media.files import png

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "operate"
UP = ".venv/bin/headrace up"
SMALL = " --workers 1 --port 0"


def blocks(page: str) -> list[list[str]]:
    """Return the commands of each block of a page."""
    text = (PAGES / page).read_text()
    found = re.findall(r"^( *)```sh\n(.*?)^ *```", text, re.S | re.M)
    return [[line.removeprefix(indent) for line in block.splitlines()] for indent, block in found]


class Shell:
    """Runs commands of a page in a folder that looks like a clone with a stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        (folder / ".venv").symlink_to(ROOT / ".venv")

    def run(self, command: str) -> str:
        """Run a command; return its output."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment(**self.environ),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout + done.stderr

    def export(self, command: str) -> None:
        """Run an `export`, which holds for later commands."""
        name, _, value = command.removeprefix("export ").partition("=")
        self.environ[name] = self.run(f"printf %s {value}")

    @contextmanager
    def up(self, command: str) -> Iterator[str]:
        """Run `headrace up` of a page; yield the address of its API."""
        with (self.folder / "up.log").open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}{SMALL}"],
                cwd=self.folder,
                env=environment(**self.environ),
                stdout=log,
                stderr=log,
            )
            try:
                until(lambda: "ready http" in (self.folder / "up.log").read_text())
                data_dir = (re.findall(r"--data-dir (\S+)", command) or [".headrace"])[0]
                yield str(read_private(self.folder / data_dir / "stack.json")["url"])
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def key_of(data_dir: Path) -> str:
    return str(read_private(data_dir / "demo.json")["key"])


def run_example(url: str, key: str) -> list[str]:
    """Upload an image and run an example; return the ids of all executions of the account."""
    headers = {"x-api-key": key, "content-type": "image/png"}
    assert httpx2.post(f"{url}/api/assets", content=png(), headers=headers).status_code == 201
    path, body = "/api/workflows/greeting-letter/run", {"inputs": {"name": "Ada"}}
    assert call("POST", url + path, key=key, body=body)[0] == 200
    return executions(url, key)


def executions(url: str, key: str) -> list[str]:
    status, found = call("GET", f"{url}/api/executions?limit=100", key=key)
    assert status == 200
    return [row["executionId"] for row in found["rows"]]


@pytest.mark.slow
def test_a_stack_is_backed_up_and_restored_as_the_page_says(
    shell: Shell, unmarked_redis_url: str, postgresql_url: str
) -> None:
    save, into_folder, into_redis = blocks("back-up-and-restore.md")
    with shell.up(UP) as url:
        key = key_of(shell.folder / ".headrace")
        before = run_example(url, key)
        (command,) = save
        assert "is whole" in shell.run(command)

    *commands, up = into_folder
    for command in commands:
        shell.run(command)
    with shell.up(up) as url:
        assert set(before) <= set(executions(url, key))

    *exports, restore = into_redis
    assert [each.split("=")[0] for each in exports] == [
        "export HEADRACE_REDIS_URL",
        "export HEADRACE_DATABASE_URL",
        "export HEADRACE_SECRET_KEY",
    ]
    for command in exports:
        shell.export(command)
    shell.environ["HEADRACE_REDIS_URL"] = unmarked_redis_url
    shell.environ["HEADRACE_DATABASE_URL"] = new_database()
    shell.environ["HEADRACE_DATA_DIR"] = "elsewhere"
    assert "restored" in shell.run(restore)
    with shell.up(f"{UP} --no-demo --data-dir elsewhere") as url:
        assert set(before) <= set(executions(url, key))


def new_database() -> str:
    """Return the URL of an empty database of PostgreSQL."""
    server = server_of_run(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())))
    name = f"guide_{os.getpid()}"
    create_database(server.get_uri(), name)
    return str(server.get_uri(database=name))


@pytest.mark.slow
def test_a_stack_is_moved_as_the_page_says(shell: Shell) -> None:
    (save,), copies, (restore, up), looks = blocks("move-to-another-machine.md")
    with shell.up(UP) as url:
        key = key_of(shell.folder / ".headrace")
        before = run_example(url, key)

    assert "is whole" in shell.run(save)
    for command in copies:
        shell.run(command)
    shutil.move(shell.folder / ".headrace", shell.folder / "old")
    assert "restored" in shell.run(restore)
    with shell.up(up) as url:
        assert set(before) <= set(executions(url, key))
        assert key_of(shell.folder / "new") == key
        for command in looks:
            shell.run(command)
