"""Display of an execution's events on a terminal that is redrawn."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.client.api import Answer, StreamEvent
from deploy.client.reports import words_of_wait
from deploy.output.tables import printable

SHOWN = ("begun", "failed", "cancelled")
"""Counts of a node's children that are shown."""
TAIL = 240
"""Most characters that are shown of a text while it arrives."""


@contextlib.contextmanager
def open_screen() -> Iterator["Screen"]:
    """Draw on standard error while the context lasts."""
    with Live(console=Console(stderr=True), refresh_per_second=10) as live:
        yield Screen(live)


class Screen:
    """A table of the nodes that is redrawn, with the ends of texts that are arriving."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._title = ""
        self._nodes: dict[str, dict[str, Any]] = {}
        self._texts: dict[tuple[str, int], str] = {}
        self._children: dict[str, Counter[str]] = {}

    def begin(self, execution: Answer) -> None:
        """Show the execution as first read."""
        self._title = f"{execution['workflowSlug']} {execution['executionId']}"
        for node in execution["nodes"]:
            self._nodes[node["id"]] = {"type": node["type"], "status": node["status"]}
        self._live.update(self._drawn())

    def show_event(self, stream_event: StreamEvent) -> None:
        """Show one event of a node."""
        data = stream_event.data
        node = self._nodes.setdefault(data["nodeId"], {"type": data["type"]})
        match stream_event.name:
            case "node.token":
                key = data["nodeId"], data["item"]
                before = self._texts.get(key, "") if data["offset"] else ""
                self._texts[key] = (before + data["text"])[-TAIL:]
            case "node.progress":
                node["progress"] = f"{data['progress']:.0%}"
            case "node.finished":
                self._forget(data["nodeId"])
                node.update(data, progress="")
            case name:
                self._forget(data["nodeId"])
                status = "running" if name == "node.started" else "retrying"
                node.update(status=status, attempts=data["attempt"], progress="")
        self._live.update(self._drawn())

    def show_child(self, stream_event: StreamEvent) -> None:
        """Count the begin or the end of an execution that a node began."""
        data = stream_event.data
        counts = self._children.setdefault(data["nodeId"], Counter())
        counts["begun" if stream_event.name == "child.started" else data["status"]] += 1
        words = (f"{counts[each]} {each}" for each in SHOWN if counts[each])
        self._nodes[data["nodeId"]]["progress"] = ", ".join(words)
        self._live.update(self._drawn())

    def show_wait(self, stream_event: StreamEvent) -> None:
        """Show that a node waits; those of executions below have no line."""
        data = stream_event.data
        if "childExecutionId" in data:
            return
        self._nodes[data["nodeId"]].update(status="waiting", progress=words_of_wait(data))
        self._live.update(self._drawn())

    def _forget(self, node: str) -> None:
        self._texts = {key: text for key, text in self._texts.items() if key[0] != node}

    def _drawn(self) -> Group:
        drawn = Table("node", "type", "status", "attempts", "progress", "ms", title=self._title)
        for name, node in self._nodes.items():
            members = (node.get(each) for each in ("type", "status", "attempts", "progress"))
            took = node.get("durationMs")
            cells = (name, *members, took)
            drawn.add_row(*(Text(printable(str("" if each is None else each))) for each in cells))
        texts = (Text(printable(f"{key[0]}: {text}")) for key, text in self._texts.items())
        return Group(drawn, *texts)
