"""Series of a stack with many workflows and models that were all called, beside one with few."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from deploy.stub_provider.app import create_app
from tests.benchmarks.client import Load
from tests.benchmarks.systems import HEADRACE, Surroundings, System, save, started
from tests.observability.cost.turns import PUBLISHED_SECONDS, read_page
from tests.support.factories import Graph
from tests.support.http.providers import serving
from tests.support.manifests import manifest
from tests.support.metrics.samples import parse_samples

LARGEST = 8
FREE = '[[pricing]]\nunit = "call"\nusd = "0"\n'
CALL = """[openai]
base_url = "{url}/v1"
api_key_env = "PROVIDER_KEY"
model = "any"
"""


@dataclass
class Stand:
    """Series of a stack with so many workflows and models, each called once."""

    workflows: int
    models: int
    series: int = 0
    page_bytes: int = 0
    page_ms: float = 0.0
    largest: list[tuple[str, int]] = field(default_factory=list)
    """Metrics with the most series."""


def measure(around: Surroundings, stands: Sequence[tuple[int, int]]) -> list[Stand]:
    """Measure one stack with a growing number of workflows and models."""
    most = max(models for _, models in stands)
    folder = around.folder / "models"
    folder.mkdir()
    with serving(create_app(None, ""), "0.0.0.0") as url:
        for number in range(most):
            call = CALL.format(url=host_of(url, number))
            text = manifest(f"model-{number}", pricing=FREE, call=call)
            (folder / f"model-{number}.toml").write_text(text)
        environ = {"HEADRACE_MODELS_DIR": str(folder), "PROVIDER_KEY": "any"}
        with started(HEADRACE, around, 1, **environ) as system:
            found, has_workflows, has_models = [], 0, 0
            for workflows, models in stands:
                for number in range(has_models, models):
                    call_model(system, number)
                for number in range(has_workflows, workflows):
                    call_text(system, number)
                has_workflows, has_models = workflows, models
                found.append(look(system, Stand(workflows, models)))
    return found


def host_of(url: str, number: int) -> str:
    """Return an address of the stub for each model: all of 127.0.0.0/8 are this machine."""
    return url.replace("127.0.0.1", f"127.0.1.{number + 1}")


def call_text(system: System, number: int) -> None:
    """Save a workflow of its own, and run it once."""
    graph = Graph("name").node("t", "textBox", text="Hello {{ name }}").node("o", "responseOutput")
    graph.wire("in.name > t.name", "t.text-out > o.result-in")
    _call(system, graph, f"Text {number}", lambda name: {"text": f"Hello {name}"})


def call_model(system: System, number: int) -> None:
    """Save a workflow that calls a model, and run it once."""
    graph = Graph("name").node("m", "customModel", model=f"model-{number}")
    graph.node("o", "responseOutput").wire("in.name > m.prompt-in", "m.text-out > o.result-in")
    _call(system, graph, f"Model {number}", lambda name: {"text": f"(stub) {name}"})


def _call(system: System, graph: Graph, title: str, expected: Callable[[str], Any]) -> None:
    calls = Load(save(system, graph.body(title)), expected)
    uvloop.run(calls.in_line(0, at_least=1))


def look(system: System, stand: Stand) -> Stand:
    """Read the page of metrics once all processes have published."""
    time.sleep(PUBLISHED_SECONDS)
    began = time.perf_counter()
    page = read_page(system)
    stand.page_ms = (time.perf_counter() - began) * 1_000
    stand.page_bytes = len(page)
    counts = Counter(sample.name for sample in parse_samples(page))
    stand.series = counts.total()
    families: Counter[str] = Counter()
    for name, count in counts.items():
        families[name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")] += count
    stand.largest = families.most_common(LARGEST)
    print(json.dumps([stand.workflows, stand.models, stand.series, stand.largest]), flush=True)
    return stand


def scratch(folder: Path, target: str) -> Surroundings:
    """Return surroundings in a folder of the measurement alone."""
    own = folder / "series"
    own.mkdir()
    return Surroundings(folder=own, target=target, wait_ms=1)
