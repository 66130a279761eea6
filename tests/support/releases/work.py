"""A canary, a replay and tests at work on one workflow of a real stack, each again and again.

Each round checks its outcome: whatever was killed meanwhile, it is the one that users expect.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.acceptance.running_stack import until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph
from tests.support.http.scripted_server import Target

PERCENT = 50
MIN_RUNS = 10
RULE = {"percent": PERCENT, "minRuns": MIN_RUNS, "maxErrorRate": 0.3}
TERMINAL = frozenset({"completed", "failed", "cancelled"})
PATIENCE_SECONDS = 180.0


def calling(url: str, *, marks: str = "value") -> Graph:
    """A call that the input names beside one of a model, with an expression after that."""
    graph = Graph("who").node("call", "httpRequest", url=url + "?who={{ who }}")
    graph.node("one", "customModel", model="echo").node("mark", "transform", expression=marks)
    graph.node("out", "responseOutput").wire("in.who > call.who", "in.who > one.prompt-in")
    graph.wire("one.text-out > mark.value-in", "mark.value-out > out.result-in")
    return graph.wire("call.response-out > out.result-in")


@dataclass
class ReleaseWork:
    """Rounds of one kind of work after another, until told to stop."""

    caller: BatchCaller
    target: Target
    slug: str = ""
    recorded: list[str] = field(default_factory=list)
    """Executions that are replayed."""
    rounds: Counter[str] = field(default_factory=Counter)
    """Rounds that were checked, by kind."""
    faults: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    _numbers: Any = field(default_factory=itertools.count)

    @property
    def path(self) -> str:
        return f"/api/workflows/{self.slug}"

    def prepare(self, runs: int, tests: int) -> None:
        """Save a bad version, a good one that is live, a draft, tests, and recorded runs."""
        good = calling(f"{self.target.url}/echo")
        self.slug = self.caller.save("Released", calling(f"{self.target.url}/status/500"))
        self.caller.ask("PUT", self.path, good.body("Released"))
        self.recorded = [self.begin(f"r{number}") for number in range(runs)]
        for execution_id in self.recorded:
            assert self.end(execution_id)["status"] == "completed"
        marks = "value.endsWith('1') ? 'changed' : value"
        draft = calling(f"{self.target.url}/echo", marks=marks)
        self.caller.ask("PUT", f"{self.path}/draft", draft.body("Released"))
        for number in range(tests):
            body = {"inputs": {"who": f"t{number}"}, "expect": ["status == 'completed'"]}
            self.caller.ask("PUT", f"{self.path}/tests/t{number}", body)

    def begin(self, who: str) -> str:
        """Start a run, once however often the call is repeated; return its id."""
        headers = {"idempotency-key": f"run-{who}"}
        body = {"inputs": {"who": who}}
        answer = self.caller.ask("POST", f"{self.path}/run?async=true", body, headers)
        return str(answer["executionId"])

    def end(self, execution_id: str) -> dict[str, Any]:
        """Return an execution once it has ended."""
        path = f"/api/executions/{execution_id}"
        ended: dict[str, Any] = until(
            lambda: self.caller.ask("GET", path),
            lambda found: found["status"] in TERMINAL,
            timeout=PATIENCE_SECONDS,
        )
        return ended

    # -- rounds -----------------------------------------------------------------------------------

    def replay(self) -> None:
        """Replay the recorded runs: verdicts are those of the inputs, and nobody is called."""
        before = self.calls_of("r")
        order = {"executionIds": self.recorded, "against": "draft", "calls": "recorded"}
        key = {"idempotency-key": f"replay-{next(self._numbers)}"}
        begun = self.caller.ask("POST", f"{self.path}/replay", order, key)["replayId"]
        found = self._over(f"/api/replays/{begun}")
        changed = {each for n, each in enumerate(self.recorded) if n % 10 == 1}
        verdicts = {row["executionId"]: row["verdict"] for row in found["rows"]}
        assert verdicts == {
            each: "different" if each in changed else "same" for each in self.recorded
        }, found["counts"]
        ids = [row["replayExecutionId"] for row in found["rows"]]
        assert len(set(ids)) == len(self.recorded)
        assert self.calls_of("r") == before

    def test(self) -> None:
        """Run the tests: each passes, with an execution of its own."""
        key = {"idempotency-key": f"tests-{next(self._numbers)}"}
        order = {"version": "draft"}
        begun = self.caller.ask("POST", f"{self.path}/tests/run", order, key)["testRunId"]
        found = self._over(f"/api/test-runs/{begun}")
        rows = found["rows"]
        assert {row["verdict"] for row in rows} == {"passed"}, found
        assert len({row["executionId"] for row in rows}) == len(rows) > 0

    def release(self) -> None:
        """Give the bad version a share of the runs: it is taken back once, by itself."""
        path = f"{self.path}/aliases/live"
        before = len(self._taken_back())
        self.caller.ask("PUT", path, {"canary": {"version": 1, **RULE}})
        ids = []
        while self._canary() is not None:
            ids += [self.begin(f"c{next(self._numbers)}") for _ in range(4)]
            assert len(ids) < 1_000, "the canary is not taken back"
        ended = [self.end(each) for each in ids]
        bad = [each for each in ended if each["status"] == "failed"]
        assert {each["workflowVersion"] for each in bad} == {1}
        assert len(bad) >= MIN_RUNS
        assert all(each["workflowVersion"] == 2 for each in ended if each not in bad)
        assert len(self._taken_back()) == before + 1

    def repeat(self, kind: str, work: Callable[[], None]) -> threading.Thread:
        """Do a round after another in a thread, at least one."""

        def go_on() -> None:
            try:
                while not self.rounds[kind] or not self.is_over.is_set():
                    work()
                    self.rounds[kind] += 1
            except BaseException as error:
                self.faults.append(f"{kind}: {error!r}")
                raise

        thread = threading.Thread(target=go_on, name=kind)
        thread.start()
        return thread

    def calls_of(self, mark: str) -> int:
        """Return how often the target was called for inputs that begin so."""
        return sum(n for path, n in self.target.calls.items() if f"who={mark}" in path)

    def _over(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = until(
            lambda: self.caller.ask("GET", path),
            lambda each: each["status"] != "processing",
            timeout=PATIENCE_SECONDS,
        )
        assert found["status"] == "completed"
        return found

    def _canary(self) -> Any:
        rows = self.caller.ask("GET", f"{self.path}/aliases")["rows"]
        return next(each["canary"] for each in rows if each["name"] == "live")

    def _taken_back(self) -> list[dict[str, Any]]:
        rows = self.caller.ask("GET", f"{self.path}/aliases/live/history")["rows"]
        return [each for each in rows if each["by"] == "system"]
