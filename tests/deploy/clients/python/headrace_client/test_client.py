"""Both clients, against a small server of this process."""

import ast
import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import headrace_client
from deploy.clients.python.make_async_client import make_async
from headrace_client import AsyncHeadrace, Headrace, HeadraceError, client

PACKAGE = Path(headrace_client.__file__).parent
STREAM = b'id: 1.1\nevent: execution.finished\ndata: {"executionId": "e1"}\n\n'


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that notices its end."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield STREAM[:20]
        yield STREAM[20:]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in (STREAM[:20], STREAM[20:]):
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


class Answers:
    """Answers of the server, which remembers requests and streams."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.streams: list[Stream] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if len(self.requests) == 1:
            raise httpx.ReadError("reset", request=request)
        if request.headers["accept"] == "text/event-stream":
            self.streams.append(Stream())
            headers = {"content-type": "text/event-stream; charset=utf-8"}
            return httpx.Response(200, headers=headers, stream=self.streams[-1])
        result = {"success": True, "result": 7, "cost": 0, "ms": 1, "executionId": "e1"}
        return httpx.Response(200, json=result)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace_client.core.retries.FIRST_PAUSE_SECONDS", 0.01)


def test_the_blocking_client_runs_and_streams(short_pauses: None) -> None:
    answers = Answers()
    http = httpx.Client(transport=httpx.MockTransport(answers))
    with Headrace("key", "http://here/", http_client=http) as blocking:
        assert blocking.run("s", {"a": 1}).result == 7
        assert [event.event for event in blocking.stream("s")] == ["execution.finished"]

    assert [str(each.url.copy_with(query=None)) for each in answers.requests] == [
        "http://here/api/workflows/s/run"
    ] * 3
    assert {each.headers["x-api-key"] for each in answers.requests} == {"key"}
    assert answers.streams[0].is_closed
    assert http.is_closed


async def test_the_asynchronous_client_runs_and_streams(short_pauses: None) -> None:
    answers = Answers()
    http = httpx.AsyncClient(transport=httpx.MockTransport(answers))
    async with AsyncHeadrace("key", "http://here", http_client=http) as awaiting:
        assert (await awaiting.run("s", {"a": 1})).result == 7
        assert [event.event async for event in awaiting.stream("s")] == ["execution.finished"]

    assert len(answers.requests) == 3
    assert answers.streams[0].is_closed
    assert http.is_closed


def test_an_iteration_that_ends_early_closes_its_connection(short_pauses: None) -> None:
    answers = Answers()
    with Headrace(
        "key", "http://here", http_client=httpx.Client(transport=httpx.MockTransport(answers))
    ) as blocking:
        events = blocking.stream("s")
        next(events)
        events.close()  # type: ignore[attr-defined]

    assert answers.streams[0].is_closed


def test_key_and_url_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEADRACE_API_KEY", "HEADRACE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HeadraceError, match="HEADRACE_API_KEY"):
        Headrace()
    monkeypatch.setenv("HEADRACE_API_KEY", "key")
    with pytest.raises(HeadraceError, match="HEADRACE_URL"):
        Headrace()
    monkeypatch.setenv("HEADRACE_URL", "http://here")
    Headrace().close()


def test_the_asynchronous_client_is_made_of_the_blocking_one() -> None:
    made = make_async(inspect.getsource(client))
    written = (PACKAGE / "async_client.py").read_text(encoding="utf-8")

    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(written)), "run make_async_client.py"


def test_the_core_does_no_input_or_output() -> None:
    imported = {
        alias.name.partition(".")[0]
        for path in (PACKAGE / "core").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for alias in (
            node.names
            if isinstance(node, ast.Import)
            else [ast.alias(node.module or "")]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert not imported & {"httpx", "socket", "asyncio", "anyio", "urllib3", "requests"}
