"""The TypeScript client as users install it, in Node and in Deno, against a real stack.

`make clients` installs both; the scenarios of all clients are in `tests/clients/test_scenarios.py`.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.clients.typescript.build_client import COMPILER
from engine.webhooks.signing import make_secret, sign
from tests.clients.typescript.installed import NODE, RUNTIMES, install, run, run_program
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running

pytestmark = pytest.mark.slow
PROGRAMS = Path(__file__).parent / "programs"
BODY = '{"event":"execution.completed","result":{"text":"Grüße"}}'.encode()
OWN = "ein eigenes Geheimnis für uns"
OTHER = "another secret that is not it"
VERIFIED = "execution.completed"
REFUSED = "WebhookVerificationError"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("stack"), *ONE_WORKER) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_first_program(runtime: str, stack: RunningStack, folder: Path) -> None:
    seen = run_program(runtime, PROGRAMS / "first_calls.mjs", folder, stack.url, stack.key)

    assert seen["user"] == "demo@localhost"
    assert seen["run"]["result"]["text"].startswith("Dear Ada,")
    assert seen["ended"]["status"] == "completed"
    names = ["execution.started", *("node.started", "node.finished") * 3, "execution.finished"]
    assert seen["events"] == names
    assert seen["again"] == names
    assert (seen["unknown"]["name"], seen["unknown"]["code"]) == (
        "NotFoundError",
        "WORKFLOW_NOT_FOUND",
    )
    assert seen["unknown"]["isApiError"] is True
    assert seen["over"]["code"] == "EXECUTION_NOT_CANCELLABLE"
    assert seen["foreign"]["name"] == "AuthenticationError"
    assert seen["aborted"]["name"] == "AbortError"
    assert seen["run"]["executionId"] in seen["listed"]


class RedirectingHandler(BaseHTTPRequestHandler):
    """Redirects every call to another host, which must not get the key."""

    def do_GET(self) -> None:
        self.send_response(307)
        self.send_header("location", "http://127.0.0.1:9/api/whoami")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Write nothing."""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_redirect_is_told_and_not_followed(runtime: str, folder: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), RedirectingHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        seen = run_program(runtime, PROGRAMS / "redirected.mjs", folder, url)
        server.shutdown()
        thread.join()

    assert seen["status"] == 307
    assert "redirects to http://127.0.0.1:9/api/whoami" in seen["message"]


def sent(*secrets: str, at: float | None = None) -> dict[str, str]:
    headers = sign(secrets, "0b5cfb4e-54e6-4e4c-a7f1-111111111111", int(at or time.time()), BODY)
    return {name.lower(): value for name, value in headers}


def only(headers: dict[str, str], prefix: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(prefix)}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kind", ["webhook-", "x-knouds-"])
def test_a_webhook_is_verified_by_either_signature(runtime: str, kind: str, folder: Path) -> None:
    made = make_secret()
    cases = [
        (made, sent(made), BODY, VERIFIED),
        (OWN, sent(OWN), BODY, VERIFIED),
        (made, sent(OWN, made), BODY, VERIFIED),
        ([OTHER, OWN], sent(OWN), BODY, VERIFIED),
        (OWN, sent(OWN, at=time.time() - 290), BODY, VERIFIED),
        (OWN, sent(OTHER), BODY, REFUSED),
        (OWN, sent(OWN), BODY + b" ", REFUSED),
        (OWN, sent(OWN, at=time.time() - 301), BODY, REFUSED),
        (OWN, sent(OWN, at=time.time() + 310), BODY, REFUSED),
        ("", sent(OWN), BODY, REFUSED),
        ("whsec_", sent(OWN), BODY, REFUSED),
        (OWN, {}, BODY, REFUSED),
    ]
    cases += [(OWN, changed, BODY, REFUSED) for changed in damaged(only(sent(OWN), kind))]
    given = [
        {"secret": secret, "headers": only(headers, kind), "body": base64.b64encode(body).decode()}
        for secret, headers, body, _ in cases
    ]

    seen = run_program(runtime, PROGRAMS / "verify_webhooks.mjs", folder, given=json.dumps(given))

    # Each case is checked with a plain object, and with `Headers`.
    assert seen == [expected for *_, expected in cases for _ in range(2)]


def damaged(right: dict[str, str]) -> list[dict[str, str]]:
    """Return the headers with one of them changed."""
    later = str(int(time.time()) + 1)
    changes = ["", " ", ",", "=", "v1,", "v1", f"t={later}", later, "1e9", "-1", "x", "v1,!!"]
    return [right | {name: change} for name in right for change in changes]


def test_the_types_fit_a_strict_program(folder: Path) -> None:
    program = folder / "typed.ts"
    program.write_text((PROGRAMS / "typed.ts").read_text())
    options = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022")
    lib = ("--lib", "es2022,dom", "--types", "")
    run((*NODE, str(COMPILER), *options, *lib, "--ignoreConfig", program.name), folder, {})
