"""The bench of watching: its receiver answers, its page has the figures, and it runs."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.observability.cost.report import Result, page
from tests.observability.cost.series import Stand
from tests.observability.cost.sink import ANSWER, Sink
from tests.observability.cost.turns import MEASURES, Lines, Turns
from tests.observability.cost.ways import BEFORE, OFF, RARELY, Way

WAYS = (
    Way(name=OFF, meaning="nothing"),
    Way(name=BEFORE, meaning="commit 0"),
    Way(name=RARELY, meaning="some", most=1.03),
)
CPU = {OFF: [1.0, 2.0], BEFORE: [1.0, 2.0], RARELY: [1.1, 2.2]}


def result() -> Result:
    samples = {way: dict.fromkeys(MEASURES, CPU[way]) for way in CPU}
    counts = {"headrace_spans_exported_total": 1_200.0, "headrace_spans_dropped_total": 3.0}
    return Result(
        commit="0123abcd",
        load=(0.5, 2.0),
        rounds=2,
        seconds=1.5,
        turns=Turns(samples=samples, counts={RARELY: counts}),
        lines=Lines(runs=1_000, seconds=2.0, requests=1_000, executions=1_000, dropped=0),
        stands=[Stand(1_000, 100, series=900, page_bytes=70_000, largest=[("some", 60)])],
    )


def test_the_page_has_all_figures() -> None:
    text = page(WAYS, result())

    assert "| traces, 1 %: some | 1.100 | 1.100 | 1.650 | 1.100 [1.100, 1.100] |" in text
    assert "| `off` within 1% of `before` | +0.0% | yes |" in text
    assert "| `traces, 1 %` within 3% of `off` | +10.0% | no |" in text
    assert "`traces, 1 %` sent 1,200 spans and dropped 3." in text
    assert "1,000 lines/s; 0 were dropped" in text
    assert "| 1,000 | 100 | 900 |" in text


async def test_the_receiver_answers_each_request_once() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    head = b"POST /v1/traces HTTP/1.1\r\nContent-Length: 5\r\n\r\n"

    for part in (head[:20], head[20:] + b"sp", b"ans" + head + b"spans"):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)

    assert await reader.readexactly(2 * len(ANSWER)) == 2 * ANSWER
    writer.close()
    server.close()


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_a_quick_bench_writes_its_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.observability.cost", "--quick", "--output"]

    done = subprocess.run([*command, tmp_path], cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "telemetry.md").read_text().startswith("# The cost of watching\n")
    assert (tmp_path / "telemetry.json").exists()
