"""A request that is repeated because a gateway was killed runs once."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import pytest

from deploy.stack.location import read_private
from tests.support.acceptance.connections import owner_of
from tests.support.acceptance.documents import save_chain_and_fan
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.target import Stub, stub_server

LOST = (0, "", b"")


@pytest.fixture
def server() -> Iterator[Stub]:
    with stub_server(holds=True) as started:
        yield started


def call(stack: RunningStack, path: str, name: str) -> tuple[int, str, bytes]:
    """Return status, whether it is a replay, and body; or that the connection was lost."""
    headers = {
        "x-api-key": stack.key,
        "idempotency-key": f"the run {name}".replace(" ", "-"),
        "content-type": "application/json",
    }
    with closing(
        HTTPConnection(urlsplit(stack.url).netloc, timeout=PATIENCE_SECONDS)
    ) as connection:
        try:
            connection.request("POST", path, json.dumps({"inputs": {"id": name}}), headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("idempotent-replayed", ""), answer.read()
        except (OSError, HTTPException):
            return LOST


def test_a_run_is_one_however_often_it_is_asked_for_after_a_gateway_was_killed(
    stack: RunningStack, server: Stub
) -> None:
    until(lambda: "key" in read_private(stack.data_dir / "demo.json"))  # it comes after `ready`
    path = f"/api/workflows/{save_chain_and_fan(stack, server.url)}/run"
    until(lambda: stack.part("worker"), lambda workers: len(workers) == 2)
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(call, stack, path, "one")
        assert server.held.wait(PATIENCE_SECONDS)

        os.kill(stack.part("gateway")[0], signal.SIGKILL)
        assert first.result(PATIENCE_SECONDS) == LOST
        early = until(lambda: call(stack, path, "one"), lambda answer: answer != LOST)
        os.kill(owner_of(server.holder_port, stack.part("worker")), signal.SIGKILL)
        until(lambda: call(stack, path, "one"), lambda answer: answer[0] == 200)
        late = list(pool.map(lambda _: call(stack, path, "one"), range(20)))

    assert early[0] == 409
    assert json.loads(early[2])["code"] == "IDEMPOTENCY_KEY_IN_USE"
    assert {answer[:2] for answer in late} == {(200, "true")}
    assert len({answer[2] for answer in late}) == 1
    assert json.loads(late[0][2])["result"] == {"text": "quick-first-one and held-first-one"}
    assert server.counts == {"/first-one": 1, "/quick-first-one": 1, "/held-first-one": 2}
    _, listed = stack.api("GET", f"/api/executions?workflowSlug={path.split('/')[3]}")
    assert len(listed["rows"]) == 1
