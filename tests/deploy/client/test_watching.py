"""Display of an execution's events."""

import asyncio
import io
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from deploy.client import watching
from deploy.client.api import StreamEvent
from deploy.client.watching import follow, watch, watch_execution
from deploy.net.http_client import Unreachable
from deploy.output.problems import ApiRefused

ID = {"executionId": "e"}
BEGUN = StreamEvent(id="1.1", name="execution.started", data=ID)
FINISHED = StreamEvent(id="9.1", name="execution.finished", data={**ID, "status": "completed"})
EXECUTION = {
    "workflowSlug": "story",
    "executionId": "e",
    "nodes": [
        {"id": "teller", "type": "assistant", "status": "pending"},
        {"id": "out", "type": "responseOutput", "status": "pending"},
    ],
}


def event(number: int, name: str, **data: Any) -> StreamEvent:
    return StreamEvent(
        id=f"{number}.1", name=f"node.{name}", data={**ID, "nodeId": "teller", **data}
    )


def token(number: int, text: str, offset: int, item: int = 0) -> StreamEvent:
    return event(number, "token", type="assistant", item=item, offset=offset, text=text)


STARTED = StreamEvent(
    id="1.2",
    name="node.started",
    data={**ID, "nodeId": "teller", "type": "assistant", "attempt": 1},
)


class Scripted:
    """A caller whose streams are lists; an error among them is raised."""

    def __init__(self, *streams: list[StreamEvent | Exception | float]) -> None:
        self._streams = list(streams)
        self.asked: list[str] = []

    async def execution(self, execution_id: str) -> dict[str, Any]:
        return EXECUTION

    async def watch(self, slug: str, inputs: Any, tags: Any) -> AsyncGenerator[StreamEvent, None]:
        async for stream_event in self.events("", f"{slug} {inputs}"):
            yield stream_event

    async def events(self, execution_id: str, after: str) -> AsyncGenerator[StreamEvent, None]:
        self.asked.append(after)
        for item in self._streams.pop(0):
            if isinstance(item, Exception):
                raise item
            if isinstance(item, float):
                await asyncio.sleep(item)
            else:
                yield item


def ignore(execution_id: str) -> None:
    return


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(watching, "NOTICED_SECONDS", 0.02)


class Polled(Scripted):
    """A caller whose executions are read one after the other; an error among them is raised."""

    def __init__(self, *answers: str | Exception) -> None:
        super().__init__()
        self._answers = list(answers)

    async def execution(self, execution_id: str) -> dict[str, Any]:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"status": answer}


AWAY = Unreachable("No answer")


async def test_an_execution_is_followed_over_many_short_silences() -> None:
    """Silences are counted in a row: a long execution outlives any number of restarts."""
    silences = [AWAY] * watching.MAX_SILENCES
    caller = Polled(*silences, "processing", *silences, "processing", AWAY, "completed")

    assert await follow(caller, "e") == {"status": "completed"}


@pytest.mark.parametrize(
    "answers",
    [
        ["processing", *[AWAY] * (watching.MAX_SILENCES + 1), "completed"],
        [ApiRefused(404, {"error": "Not found"}), "completed"],
    ],
    ids=["silent for long", "refused"],
)
async def test_an_execution_that_cannot_be_read_is_given_up(
    answers: list[str | Exception],
) -> None:
    caller = Polled(*answers)

    with pytest.raises((Unreachable, ApiRefused)):
        await follow(caller, "e")

    assert await caller.execution("e") == {"status": "completed"}


async def lines(
    capsys: pytest.CaptureFixture[str], *stream_events: StreamEvent | float
) -> list[str]:
    caller = Scripted([BEGUN, *stream_events, FINISHED])
    assert await watch(caller, "story", {}, ignore) == FINISHED.data
    return capsys.readouterr().err.splitlines()


async def test_a_node_that_ends_at_once_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    done = event(2, "finished", status="completed")

    assert await lines(capsys, STARTED, done, 0.05) == ["teller: completed"]


async def test_a_node_that_takes_its_time_is_told_to_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = event(2, "finished", status="failed")

    assert await lines(capsys, STARTED, 0.06, done) == ["teller: running", "teller: failed"]


async def test_progress_and_retries_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    reported = [event(2, "progress", item=0, progress=0.256), event(3, "retrying", attempt=1)]

    assert await lines(capsys, STARTED, *reported) == ["teller: 26%", "teller: retrying"]


def child(number: int, name: str, status: str, **place: Any) -> StreamEvent:
    of = {"parentId": "e", "nodeId": "teller", "index": number, "childExecutionId": f"c{number}"}
    data = {**ID, **of, "status": status, **place}
    return StreamEvent(id=f"{number}.1", name=f"child.{name}", data=data)


async def test_a_failed_child_is_a_line_and_those_below_children_are_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    of_a_child = child(4, "finished", "failed", parentId="c0")
    told = [child(2, "started", "processing"), child(3, "finished", "failed"), of_a_child]

    assert await lines(capsys, STARTED, *told) == ["teller: item 3 failed, c3"]


async def test_a_text_comes_line_by_line_and_the_rest_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pieces = [token(2, "One", 0), token(3, " two\nthree\x1b[2J", 3), token(4, "!", 17)]
    done = event(5, "finished", status="completed")

    assert await lines(capsys, STARTED, *pieces, done) == [
        "teller: running",
        "teller | One two",
        "teller | three\N{REPLACEMENT CHARACTER}[2J!",
        "teller: completed",
    ]


async def test_a_text_that_begins_anew_is_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pieces = [token(2, "Wro", 0), token(3, "Right", 0)]
    done = event(4, "finished", status="completed")

    assert (await lines(capsys, *pieces, done))[:2] == ["teller | Wro", "teller | Right"]


async def test_a_stream_that_ends_too_early_is_taken_up_behind_what_was_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = event(4, "finished", status="completed")
    caller = Scripted(
        [BEGUN, Unreachable("nobody")], [STARTED], [ApiRefused(503, {})], [done], [FINISHED]
    )

    assert await watch(caller, "story", {"a": 1}, ignore) == FINISHED.data
    assert caller.asked == ["story {'a': 1}", "1.1", "1.2", "1.2", "4.1"]
    assert capsys.readouterr().err.splitlines()[-1] == "teller: completed"


@pytest.mark.parametrize("error", [ApiRefused(503, {"error": "No"}), Unreachable("No")])
async def test_a_run_that_does_not_begin_is_not_begun_again(error: Exception) -> None:
    with pytest.raises(type(error), match="No"):
        await watch(Scripted([error]), "story", {}, ignore)


async def test_what_is_refused_for_good_is_not_asked_for_again() -> None:
    caller = Scripted([BEGUN], [ApiRefused(404, {"error": "No such execution"})])

    with pytest.raises(ApiRefused, match="No such execution"):
        await watch(caller, "story", {}, ignore)


async def test_the_id_is_told_as_soon_as_it_is_known() -> None:
    known: list[str] = []

    with pytest.raises(ApiRefused):
        await watch(Scripted([BEGUN, ApiRefused(404, {})]), "story", {}, known.append)

    assert known == ["e"]


async def test_an_execution_that_goes_on_is_watched_from_its_beginning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = event(2, "finished", status="completed")
    caller = Scripted([BEGUN, done], [FINISHED])

    assert await watch_execution(caller, "e") == FINISHED.data
    assert caller.asked == ["", "2.1"]
    assert capsys.readouterr().err.splitlines() == ["teller: completed"]


async def test_an_execution_that_failed_is_given_with_its_nodes() -> None:
    failed = StreamEvent(id="9.1", name="execution.finished", data={**ID, "status": "failed"})

    assert await watch(Scripted([BEGUN, failed]), "story", {}, ignore) == EXECUTION


async def test_a_screen_shows_every_node_and_the_end_of_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    reported = [STARTED, event(2, "progress", type="assistant", item=0, progress=0.5)]
    pieces = [token(3, "Once [bold]upon[/bold] ", 0), token(4, "a time", 23)]
    done = event(5, "finished", type="assistant", status="completed", attempts=1, durationMs=41)

    below = [child(9, "started", "processing"), child(9, "finished", "failed")]
    asked = {**ID, "nodeId": "out", "kind": "delay", "until": "2026-12-08T00:00:00.000Z"}
    waits = [
        StreamEvent(id="9.9", name="execution.waiting", data=data)
        for data in (asked, {**asked, "nodeId": "deep", "childExecutionId": "c"})
    ]
    scripted = Scripted([BEGUN, *reported, *pieces, 0.15, *below, *waits, 0.15, done, FINISHED])
    await watch(scripted, "story", {}, ignore)

    drawn = terminal.getvalue()
    assert "1 begun, 1 failed" in drawn
    assert "waits until" in drawn and "deep" not in drawn
    for words in ("story e", "pending", "running", "50%", "Once [bold]upon[/bold] a time", "41"):
        assert words in drawn, words


async def test_a_node_that_waits_says_for_whom_and_how_long(
    capsys: pytest.CaptureFixture[str],
) -> None:
    until = "2026-12-08T00:00:00.000Z"
    asked = {**ID, "nodeId": "teller", "kind": "approval", "until": until, "title": "Post it?"}
    below = {**ID, "childExecutionId": "c", "nodeId": "later", "kind": "delay", "until": until}
    waits = [
        StreamEvent(id=f"{number}.1", name="execution.waiting", data=data)
        for number, data in ((2, asked), (3, below))
    ]

    assert await lines(capsys, STARTED, *waits, 0.05) == [
        f"teller: waits for an answer until {until}: Post it?",
        f"later of c: waits until {until}",
    ]
