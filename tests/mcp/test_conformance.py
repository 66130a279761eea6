"""The protocol's own conformance suite, against a stack whose workflows are the suite's fixtures.

Each baseline has the scenarios and checks that cannot hold here, each with its reason; an entry
that passes fails the run.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.mcp.installed import command_of, install, node_environ
from tests.support.acceptance.running_stack import ONE_WORKER, running
from tests.support.mcp.conformance_proxy import ConformanceProxy, conformance_proxy
from tests.support.mcp.scenario_place import field, form, make_account, make_key, save

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("suite")]
BASELINES = Path(__file__).parent / "conformance"
REVISIONS = ("2025-06-18", "2025-11-25", "2026-07-28")
TASKS = tuple(
    f"tasks-{name}"
    for name in (
        "lifecycle",
        "capability-negotiation",
        "wire-fields",
        "request-state-removal",
        "request-headers",
        "dispatch-and-envelope",
        "status-notifications",
        "required-task-error",
    )
)
"""Scenarios of the extension; two more need forms for clients, which workflows do not ask for."""
SECONDS = 900
REASON = " # "


def fixtures() -> list[dict[str, object]]:
    """Return the tools that the suite calls, as far as a workflow can be one."""
    text = form().node("text", "textBox", text="This is a simple text response for testing.")
    text.node("out", "responseOutput").wire("text.text-out > out.result-in")
    fails = form().node("fail", "transform", expression="json.parse('no JSON')")
    fails.node("out", "responseOutput").wire("fail.value-out > out.result-in")
    steps = form().node("first", "textBox", text="one")
    steps.node("second", "textBox", text="{{ a }} two").node("out", "responseOutput")
    steps.wire("first.text-out > second.a", "second.text-out > out.result-in")
    greet = form(field("name")).node("text", "textBox", text="Hello, {{ name }}!")
    greet.node("out", "responseOutput").wire(
        "form.name > text.name", "text.text-out > out.result-in"
    )
    slow = form(field("seconds", "number", default=1), field("label", default=""))
    slow.node("wait", "delay").node("out", "responseOutput")
    slow.wire("form.seconds > wait.seconds-in", "form.label > wait.value-in")
    slow.wire("wait.value-out > out.result-in")
    job = form().node("wait", "delay", seconds=1)
    job.node("fail", "transform", expression="json.parse(value)", variables=[])
    job.node("text", "textBox", text="no JSON").node("out", "responseOutput")
    job.wire("text.text-out > wait.value-in", "wait.value-out > fail.value-in")
    job.wire("fail.value-out > out.result-in")
    documents = [
        text.body("Test simple text"),
        fails.body("Test error handling"),
        steps.body("Test tool with progress"),
        greet.body("Greet"),
        slow.body("Slow compute"),
        job.body("Failing job"),
    ]
    return [{**each, "description": "A fixture of the suite."} for each in documents]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConformanceProxy]:
    documents = fixtures()
    slugs = [str(each["name"]).lower().replace(" ", "-") for each in documents]
    with running(tmp_path_factory.mktemp("conformance"), "--no-demo", *ONE_WORKER) as stack:
        key = make_key(stack, make_account(stack, "suite"))
        save(stack, key, *documents)
        with conformance_proxy(stack.url, key, slugs) as proxy:
            yield proxy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the suite."""
    return install(tmp_path_factory.mktemp("suite"))


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("revision", REVISIONS)
def test_the_server_conforms_to_a_revision(
    revision: str, proxy: ConformanceProxy, folder: Path
) -> None:
    which = ("--suite", "all", "--spec-version", revision)

    done = run_suite(proxy, folder, f"server-{revision}.yml", *which)

    assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]


@pytest.mark.parametrize("scenario", TASKS)
def test_the_server_conforms_to_the_extension_for_tasks(
    scenario: str, proxy: ConformanceProxy, folder: Path
) -> None:
    done = run_suite(proxy, folder, "server-tasks.yml", "--scenario", scenario)

    assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]


def run_suite(
    proxy: ConformanceProxy, folder: Path, baseline: str, *which: str
) -> subprocess.CompletedProcess[str]:
    """Run scenarios of the suite; CONFORMANCE_LOG names a folder for all that it says."""
    command = (*command_of(folder, "conformance"), "server", "--url", f"{proxy.url}/mcp", *which)
    done = subprocess.run(
        (*command, "--expected-failures", str(BASELINES / baseline)),
        cwd=folder,
        env=node_environ(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if log := os.environ.get("CONFORMANCE_LOG"):
        Path(log).mkdir(exist_ok=True)
        said = done.stdout + done.stderr
        (Path(log) / f"{which[-1]}.txt").write_text(said, encoding="utf-8")
    return done


@pytest.mark.parametrize("revision", [*REVISIONS, "tasks"])
def test_each_expected_failure_has_a_reason(revision: str) -> None:
    text = (BASELINES / f"server-{revision}.yml").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line.startswith("  - ")]

    assert len(entries) == len(yaml.safe_load(text)["server"])
    assert [line for line in entries if REASON not in line] == []
