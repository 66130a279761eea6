"""Heavy bodies and expressions of one account beside the runs of another (`-s` shows figures)."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.acceptance.callers import RUN, Caller, make_caller, p95, save
from tests.support.acceptance.heavy_bodies import BODIES
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.factories import Graph

ROOT = Path(__file__).parents[3]
CONNECTIONS = 4
MAX_SECONDS = 0.03
EXPRESSIONS = {
    "size": "size(value.value)",
    "map": "size(value.value.map(x, x + 1))",
    "equality": "value.value == value.value",
}


def taking(expression: str = "") -> Graph:
    """Return a workflow with one JSON field and an expression over its value."""
    field = {"name": "value", "label": "Value", "type": "json"}
    graph = Graph().node("in", "requestInput", fields=[field]).node("out", "responseOutput")
    if not expression:
        return graph.node("t", "textBox", text="done").wire("t.text-out > out.result-in")
    graph.node("t", "transform", expression=expression, onError="continue")
    return graph.wire("in.params > t.value-in", "t.value-out > out.result-in")


class Neighbours:
    """A light caller and a heavy one, accounts of one stack."""

    def __init__(self, stack: RunningStack, light: Caller, heavy_key: str) -> None:
        self._stack = stack
        self._light = light
        self._key = heavy_key
        self.alone = self._light.times(lambda made: made < 400)[100:]

    @contextmanager
    def sending(self, kind: str, method: str = "POST", path: str = "") -> Iterator[None]:
        """Send bodies of a kind meanwhile; print the statuses of their answers."""
        url = self._stack.url + (path or RUN.format(self.save("Heavy", "")))
        command = [sys.executable, "-m", "tests.support.acceptance.heavy_bodies"]
        command += [method, url, self._key, kind, str(CONNECTIONS)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as sender:
            yield
            sender.terminate()
            reported, _ = sender.communicate(timeout=60)
        print(f"{kind}: statuses {json.loads(reported)}", end="; ")

    def save(self, name: str, expression: str) -> str:
        """Save a workflow of the heavy caller; return its slug."""
        return save(self._stack, self._key, name, taking(expression).body())

    def compare(self, name: str, count: int = 200) -> float:
        """Return the p95 of the light caller now; print it beside its p95 alone."""
        self._light.times(lambda made: made < 20)
        beside = self._light.times(lambda made: made < count)
        reported = [f"p50 {statistics.median(each) * 1000:.1f} ms" for each in (self.alone, beside)]
        reported = [
            f"{word}, p95 {p95(each) * 1000:.1f} ms"
            for word, each in zip(reported, (self.alone, beside), strict=True)
        ]
        print(
            f"{name}: alone {reported[0]}; beside {reported[1]}, "
            f"longest {max(beside) * 1000:.1f} ms"
        )
        return p95(beside)


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with running(tmp_path_factory.mktemp("stack"), "--no-demo") as stack:
        _, key = make_caller(stack, "light")
        _, heavy_key = make_caller(stack, "heavy")
        with closing(Caller(stack, save(stack, key, "Light"), key)) as light:
            yield Neighbours(stack, light, heavy_key)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", BODIES)
def test_a_callers_heavy_bodies_leave_others_their_pace(neighbours: Neighbours, kind: str) -> None:
    with neighbours.sending(kind):
        seconds = neighbours.compare(kind)

    assert seconds < MAX_SECONDS


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["most values", "one text"])
def test_a_callers_heavy_documents_leave_others_their_pace(
    neighbours: Neighbours, kind: str
) -> None:
    with neighbours.sending(kind, path="/api/workflows"):
        seconds = neighbours.compare("saves")

    assert seconds < MAX_SECONDS


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_callers_heavy_expressions_leave_others_their_pace(
    neighbours: Neighbours, name: str
) -> None:
    slug = neighbours.save(f"Expression {name}", EXPRESSIONS[name])
    with neighbours.sending("most values", path=RUN.format(slug)):
        seconds = neighbours.compare(f"expression {name}")

    assert seconds < MAX_SECONDS


@pytest.mark.thorough
def test_a_run_does_not_wait_long_for_heavy_bodies_of_others(neighbours: Neighbours) -> None:
    """With a limit that holds on a machine that is busy with other tests."""
    with neighbours.sending("most values, 1 MB"):
        seconds = neighbours.compare("one kind", count=40)

    assert seconds < max(0.4, 10 * p95(neighbours.alone))
