"""Workers killed while runs begin to wait: each webhook is told of its wait, as one delivery."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.approvals import asking_person
from tests.support.http.target import Stub, stub_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.F69]
RUNS = 60
OPTIONS = ("--workers", "2", "--gateways", "1")
ENVIRON = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "2"}
WAITING = "execution.waiting"


def kill_worker(stack: RunningStack) -> None:
    """Kill a worker; the supervisor starts another one."""
    os.kill(until(lambda: stack.part("worker"), bool)[0], signal.SIGKILL)


def begin(stack: RunningStack, slug: str, stub: Stub, number: int) -> None:
    """Begin a run whose webhook leads to a path of its own."""
    webhook = {"url": f"{stub.url}/{number}", "secret": "the secret of one run"}
    body = {"inputs": {"who": str(number)}, "webhook": {**webhook, "events": [WAITING]}}
    status, answer = stack.api("POST", f"/api/workflows/{slug}/run?async=true", body)
    assert status == 202, answer


def test_each_wait_is_told_as_one_delivery_although_workers_are_killed(tmp_path: Path) -> None:
    with stub_server() as stub, running(tmp_path, *OPTIONS, **ENVIRON) as stack:
        status, saved = stack.api("POST", "/api/workflows", asking_person(title="{{ who }}").body())
        assert status == 201, saved
        for number in range(RUNS):
            begin(stack, saved["slug"], stub, number)
            if number % 20 == 10:
                kill_worker(stack)

        paths = {f"/{number}" for number in range(RUNS)}
        until(lambda: {each.path for each in stub.requests}, lambda told: told >= paths, timeout=90)
        _, page = stack.api("GET", "/api/approvals?limit=200")

    assert sorted(int(row["title"]) for row in page["rows"]) == list(range(RUNS))
    for path in paths:
        found = stub.at(path)
        # A worker that is killed in an attempt makes it again: with the same id and body.
        assert len({each.headers["webhook-id"] for each in found}) == 1
        assert len({each.body for each in found}) == 1
        assert b'"sequence":1}' in found[0].body and b"/approvals/" in found[0].body
    print(f"{len(stub.requests)} deliveries of {RUNS} waits")
