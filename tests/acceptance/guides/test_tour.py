"""The tour in `examples/`, run as its header says, against a real stack."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.net.http_client import call
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from tests.conftest import free_port
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import BARE, RunningStack, environment, running

ROOT = Path(__file__).parents[3]
TOUR = ROOT / "examples" / "tour.py"
PRIVATE = "HEADRACE_ALLOW_PRIVATE_URLS"
LIMIT = 12
TOLD = re.compile(
    r"""Answered \{'text': 'Answer in one sentence: What is a headrace\?'\} for 13 credits
Told by a webhook, and verified: execution\.completed (?P<id>[0-9a-f-]{36})
429 with 0 calls left: waits (?P<first>[0-9.]+) s
200 with (?P<left>[0-9]+) calls left: waits (?P<second>[0-9.]+) s
200 with [0-9]+ calls left: waits [0-9.]+ s
(Used 13 credits completed 20[0-9T:.-]+Z
){3}"""
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("tour")
    tiers = folder / "tiers.toml"
    tiers.write_text(f"[pro]\nruns_per_minute = {LIMIT}\n")
    environ = {PRIVATE: "1", "HEADRACE_TIERS_FILE": str(tiers)}
    with running(folder, *BARE, **environ) as started:
        yield started


def prepare(stack: RunningStack) -> tuple[str, dict[str, str]]:
    """Prepare the tour as its header says; return the account and the tour's variables."""
    port = free_port()
    owner = ("--email", "you@example.org", "--tier", "pro")
    account = json_of(stack, "account", "create", *owner)["id"]
    capabilities = ("--capability", "workflow:*", "--capability", "webhook:receive")
    key = json_of(stack, "key", "create", "--account", account, *capabilities)
    to = ("--url", f"http://127.0.0.1:{port}")
    hook = json_of(stack, "key", "webhook", key["id"], *to, **{PRIVATE: "1"})
    return account, {
        "HEADRACE_URL": stack.url,
        "HEADRACE_API_KEY": key["key"],
        "WEBHOOK_SECRET": hook["secret"],
        "WEBHOOK_PORT": str(port),
    }


def test_the_tour_runs_hears_waits_and_reads_its_usage(stack: RunningStack) -> None:
    account, taken = prepare(stack)
    windows = keyspace.windows(partition_of(account))
    quickly = ("-m", "tests.support.acceptance.quick_minute", stack.redis_url, windows)

    done = subprocess.run(
        [sys.executable, *quickly, TOUR],
        env=environment(**taken),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
    )
    reported = TOLD.fullmatch(done.stdout)
    (checked,) = json_of(stack, "ledger", "check", "--account", account)
    _, usage = call("GET", f"{stack.url}/api/usage?limit=1", key=taken["HEADRACE_API_KEY"])
    _, left = call("GET", f"{stack.url}/api/workflows", key=taken["HEADRACE_API_KEY"])

    assert done.returncode == 0, done.stderr
    assert reported, done.stdout
    assert int(reported["left"]) == LIMIT - 1
    assert 0 <= float(reported["first"]) <= 60
    assert float(reported["second"]) <= 60 / (LIMIT - 1)
    assert usage["total"] >= LIMIT + 3
    assert checked["balance"] == 5_000 - 13 * usage["total"]
    assert (checked["faults"], left) == ([], [])


def test_the_tour_does_not_believe_a_webhook_of_another_secret(stack: RunningStack) -> None:
    _, taken = prepare(stack)

    done = subprocess.run(
        [sys.executable, TOUR],
        env=environment(**taken | {"WEBHOOK_SECRET": "whsec_of_another"}),
        capture_output=True,
        text=True,
        timeout=150,
    )

    assert done.returncode == 1
    assert '"POST / HTTP/1.1" 400' in done.stderr
    assert "Told by a webhook" not in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_the_tour_waits_a_real_minute(stack: RunningStack) -> None:
    _, taken = prepare(stack)

    done = subprocess.run(
        [sys.executable, TOUR], env=environment(**taken), capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert TOLD.fullmatch(done.stdout), done.stdout


def test_the_tour_is_short_and_needs_nothing_but_httpx() -> None:
    text = TOUR.read_text()
    imported = {word.split(".")[0] for word in re.findall(r"^(?:import|from) (\S+)", text, re.M)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert len(text.splitlines()) <= 60
    assert imported - sys.stdlib_module_names == {"httpx"}
    assert not any(each.startswith("httpx") for each in project["dependencies"])
