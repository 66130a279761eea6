"""The protocol's own conformance suite for authorization servers, against a real stack."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import httpx2
import pytest

from tests.conftest import free_port
from tests.mcp.installed import command_of, install, node_environ
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running
from tests.support.mcp.scenario_place import make_account
from tests.support.oauth.person import ALL, Person

pytestmark = pytest.mark.slow
REVISIONS = ("2025-06-18", "2025-11-25", "2026-07-28")
ADDRESS = re.compile(r"https?://\S+/oauth/authorize\?\S+")
SECONDS = 120


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("oauth"), "--no-demo", *ONE_WORKER) as stack:
        yield stack


@pytest.fixture(scope="module")
def person(stack: RunningStack) -> Person:
    return Person(stack, make_account(stack, "owner"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the suite."""
    return install(tmp_path_factory.mktemp("suite"))


def register(stack: RunningStack, port: int) -> str:
    """Return the id of a client without a secret: where servers allow it, the suite sends none."""
    client = {
        "client_name": "Conformance",
        "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
        "token_endpoint_auth_method": "none",
    }
    return str(httpx2.post(f"{stack.url}/oauth/register", json=client).json()["client_id"])


def go_on_to(address: str) -> None:
    """Ask the suite, which prints its address before it listens there."""
    with httpx2.Client(transport=httpx2.HTTPTransport(retries=5)) as http:
        http.get(address)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("revision", REVISIONS)
def test_the_authorization_server_conforms_to_a_revision(
    stack: RunningStack, person: Person, folder: Path, revision: str
) -> None:
    port = free_port()
    client_id = register(stack, port)
    command = (
        *(*command_of(folder, "conformance"), "authorization", "--url", stack.url),
        *("--client-id", client_id, "--resource", f"{stack.url}/mcp"),
        *("--port", str(port), "--spec-version", revision),
    )
    said = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=node_environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as suite:
        timer = Timer(SECONDS, suite.kill)
        timer.start()
        for line in suite.stdout or ():
            said.append(line)
            if found := ADDRESS.search(line):
                go_on_to(person.consent(found[0], ALL)["location"])
        timer.cancel()

    assert suite.returncode == 0, "".join(said)
    assert "authorization-code-grant: 1 passed, 0 failed" in "".join(said)
