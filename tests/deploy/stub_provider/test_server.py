import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.eventually import PATIENCE_SECONDS, eventually

STUB = (sys.executable, "-P", "-m", "deploy", "stub-provider")
CHAT = "/v1/chat/completions"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [*STUB, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        assert word == "ready"
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as (_, address):
        yield address


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def send(url: str, script: str, **more: Any) -> socket.socket:
    """Send a call over a raw connection and leave its answer unread."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}], **more})
    connection = connect(url)
    head = f"POST {CHAT} HTTP/1.1\r\nHost: stub\r\nConnection: close\r\nX-Stub: {script}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection, connection.makefile("rb") as file:
        return file.read()


async def report(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/stub/calls") as answer:
        return json.load(answer)


def test_it_serves_and_ends_with_0_when_it_is_told_to() -> None:
    with running() as (process, url):
        answer = read_all(send(url, ""))
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_SECONDS)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"(stub) Hi" in answer
    assert code == 0


async def test_it_ends_while_a_call_hangs() -> None:
    with running() as (process, url), send(url, "hang"):
        await eventually(lambda: report(url), lambda observed: observed["running"] == 1)
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_SECONDS)

    assert code == 0


def test_a_cut_answer_ends_before_its_length(url: str) -> None:
    head, _, body = read_all(send(url, "cut")).partition(b"\r\n\r\n")

    (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
    assert 0 < len(body) < int(length.split()[1])


def test_a_cut_stream_has_no_end(url: str) -> None:
    whole = read_all(send(url, "", stream=True))
    cut = read_all(send(url, "cut", stream=True))

    assert whole.endswith(b"[DONE]\n\n\r\n0\r\n\r\n")
    assert b"(stub)" in cut
    assert b"[DONE]" not in cut
    assert not cut.endswith(b"0\r\n\r\n")


def test_a_huge_answer_is_huge(url: str) -> None:
    assert len(read_all(send(url, "huge"))) > 64 * 2**20


async def test_a_caller_who_leaves_is_noticed(url: str) -> None:
    before = (await report(url))["clientsLeft"]

    send(url, "hang").close()
    send(url, "delay=600000").close()
    with connect(url) as half:
        half.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: stub\r\nContent-Length: 9\r\n\r\n{{".encode())

    observed = await eventually(
        lambda: report(url), lambda observed: bool(observed["clientsLeft"] == before + 3)
    )
    assert observed["running"] == 0


async def test_a_thousand_calls_wait_at_the_same_time(url: str) -> None:
    calls = [send(url, "delay=3000") for _ in range(1000)]

    answers = [read_all(call) for call in calls]

    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answers)
    assert (await report(url))["mostAtOnce"] > 500


@pytest.mark.parametrize(
    ("arguments", "reply"),
    [
        (("--script", "dely=3"), "headrace: --script: (stub) no script has 'dely=3'.\n"),
        (("--host", "192.0.2.1"), "headrace: Port 0 on 192.0.2.1 cannot be listened on: "),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: tuple[str, ...], reply: str) -> None:
    done = subprocess.run(
        [*STUB, "--port", "0", *arguments], capture_output=True, text=True, timeout=30
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(reply)
    assert done.stderr.count("\n") == 1


def test_limits_are_options() -> None:
    with running("--requests-per-minute", "1", "--burst", "1") as (_, url):
        answers = [read_all(send(url, "")) for _ in range(2)]

    assert [answer.split(b" ")[1] for answer in answers] == [b"200", b"429"]
