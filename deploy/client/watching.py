"""Following an execution to its end, with or without showing its events."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Protocol

from deploy.client.api import Answer, StreamEvent
from deploy.client.callers import WorkflowCaller
from deploy.client.reports import words_of_wait
from deploy.net.http_client import Unreachable
from deploy.output.problems import ApiRefused
from deploy.output.tables import printable
from engine.errors import EngineError
from engine.executions.retry import jittered

TERMINAL = frozenset({"completed", "failed", "cancelled"})
FIRST, LAST = "execution.started", "execution.finished"
OF_CHILDREN = "child."
WAITING = "execution.waiting"
FIRST_PAUSE_SECONDS = 0.02
MAX_PAUSE_SECONDS = 0.5
MAX_SILENCES = 60
"""Most reads in a row without an answer: a gateway that restarts is back long before."""
UNAVAILABLE = 503
NOTICED_SECONDS = 0.1
"""A node that ends sooner is not shown as running."""


async def follow(caller: WorkflowCaller, execution_id: str) -> Answer:
    """Poll the execution until it has ended."""
    pause, silences = FIRST_PAUSE_SECONDS, 0
    while True:
        try:
            execution = await caller.execution(execution_id)
        except (Unreachable, ApiRefused) as error:
            silences += 1
            if is_final(error) or silences > MAX_SILENCES:
                raise
        else:
            silences = 0
            if execution["status"] in TERMINAL:
                return execution
        await asyncio.sleep(jittered(pause))
        pause = min(pause * 1.5, MAX_PAUSE_SECONDS)


async def watch(
    caller: WorkflowCaller,
    slug: str,
    inputs: Mapping[str, Any],
    begun: Callable[[str], None],
    tags: Sequence[str] = (),
) -> Answer:
    """Run the workflow and show its events on standard error; return the execution.

    `begun` is called with the id of the execution.
    """
    return await _show(caller, _events(caller, caller.watch(slug, inputs, tags)), begun)


async def watch_execution(caller: WorkflowCaller, execution_id: str) -> Answer:
    """Show the past and coming events of an execution until it ends; return the execution."""
    events = caller.events(execution_id, "")
    return await _show(caller, _events(caller, events, execution_id), lambda _: None)


async def _show(
    caller: WorkflowCaller, events: AsyncGenerator[StreamEvent, None], begun: Callable[[str], None]
) -> Answer:
    with _view() as view:
        async with contextlib.aclosing(events) as stream_events:
            async for stream_event in stream_events:
                if stream_event.name == FIRST:
                    begun(stream_event.data["executionId"])
                    with contextlib.suppress(Unreachable):
                        view.begin(await caller.execution(stream_event.data["executionId"]))
                elif stream_event.name == LAST:
                    return await _with_nodes(caller, stream_event.data)
                elif stream_event.name == WAITING:
                    view.show_wait(stream_event)
                elif stream_event.name.startswith(OF_CHILDREN):
                    if stream_event.data["parentId"] == stream_event.data["executionId"]:
                        view.show_child(stream_event)
                else:
                    view.show_event(stream_event)
    raise AssertionError("the events of an execution end with its end")


async def _with_nodes(caller: WorkflowCaller, ended: Answer) -> Answer:
    """Return the execution, with its nodes if it failed, since one of them may have the reason."""
    if ended["status"] != "failed":
        return ended
    try:
        return await caller.execution(ended["executionId"])
    except (Unreachable, ApiRefused, EngineError):
        return ended


async def _events(
    caller: WorkflowCaller, stream: AsyncGenerator[StreamEvent, None], execution_id: str = ""
) -> AsyncGenerator[StreamEvent, None]:
    """Yield all events; a stream that ended early is resumed."""
    after, silences = "", 0
    while True:
        try:
            async with contextlib.aclosing(stream) as stream_events:
                async for stream_event in stream_events:
                    execution_id, after = stream_event.data["executionId"], stream_event.id
                    silences = 0
                    yield stream_event
        except (Unreachable, ApiRefused) as error:
            silences += 1
            if not after or is_final(error) or silences > MAX_SILENCES:
                raise
        await asyncio.sleep(jittered(MAX_PAUSE_SECONDS))
        stream = caller.events(execution_id, after)


def is_final(error: Unreachable | ApiRefused) -> bool:
    """Return whether the same call will fail again."""
    return isinstance(error, ApiRefused) and error.status != UNAVAILABLE


class _View(Protocol):
    """Display of events."""

    def begin(self, execution: Answer) -> None:
        """Show the execution as first read."""
        ...

    def show_event(self, stream_event: StreamEvent) -> None:
        """Show one event of a node."""
        ...

    def show_child(self, stream_event: StreamEvent) -> None:
        """Show the begin or the end of an execution that a node began."""
        ...

    def show_wait(self, stream_event: StreamEvent) -> None:
        """Show that a node waits, of this execution or of one below it."""
        ...


def _view() -> contextlib.AbstractContextManager[_View]:
    if not sys.stderr.isatty():
        return contextlib.nullcontext(_Lines())
    from deploy.client.screen import open_screen  # of a library that takes long to import

    return open_screen()


class _Lines:
    """A line for each change, for output that cannot be redrawn."""

    def __init__(self) -> None:
        self._begun: dict[str, asyncio.TimerHandle] = {}
        self._texts: dict[tuple[str, int], str] = {}

    def begin(self, execution: Answer) -> None:
        return

    def show_event(self, stream_event: StreamEvent) -> None:
        data = stream_event.data
        node = data["nodeId"]
        match stream_event.name:
            case "node.started":
                loop = asyncio.get_running_loop()
                self._begun[node] = loop.call_later(NOTICED_SECONDS, self._print_running, node)
            case "node.retrying":
                self._print_change(node, "retrying")
            case "node.progress":
                self._print_change(node, f"{data['progress']:.0%}")
            case "node.token":
                self._add_text(node, data["item"], data["offset"], data["text"])
            case "node.finished":
                self._print_change(node, data["status"])

    def show_child(self, stream_event: StreamEvent) -> None:
        data = stream_event.data
        if data["status"] == "failed":
            _print(f"{data['nodeId']}: item {data['index']} failed, {data['childExecutionId']}")

    def show_wait(self, stream_event: StreamEvent) -> None:
        data = stream_event.data
        child = f" of {data['childExecutionId']}" if "childExecutionId" in data else ""
        begun = self._begun.pop(data["nodeId"], None) if not child else None
        if begun is not None:
            begun.cancel()
        _print(f"{data['nodeId']}{child}: {words_of_wait(data)}")

    def _print_running(self, node: str) -> None:
        if self._begun.pop(node, None) is not None:
            _print(f"{node}: running")

    def _print_change(self, node: str, words: str) -> None:
        begun = self._begun.pop(node, None)
        if begun is not None:
            begun.cancel()
        for key in [key for key in self._texts if key[0] == node]:
            _print(f"{node} | {self._texts.pop(key)}")
        _print(f"{node}: {words}")

    def _add_text(self, node: str, item: int, offset: int, piece: str) -> None:
        self._print_running(node)
        before = self._texts.get((node, item), "")
        if offset == 0 and before:
            _print(f"{node} | {before}")
            before = ""
        *whole, rest = (before + piece).split("\n")
        for line in whole:
            _print(f"{node} | {line}")
        self._texts[(node, item)] = rest


def _print(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
