"""Lines fit the terminal, whatever its size, and tell the faults first."""

import re

import pytest

from deploy.admin.top.layout import draw
from deploy.admin.top.reading import Reading
from engine.store.metrics.installation_sample import NodeTypeSample, ProviderSample
from engine.store.redis.info import RedisMemory
from tests.support.top.readings import queue, reading, reading_without_counts, sample, worker

MANY = reading(
    sample(
        failed=40,
        causes={"provider": 38, "timeout": 2},
        node_types=[NodeTypeSample(f"type{number}", 5) for number in range(30)],
        providers=[ProviderSample(f"provider{number}", {"failed": 9}) for number in range(30)],
    ),
    workers=[worker(f"host-{number}-aaaaaa") for number in range(30)],
    redis=RedisMemory(used=95, limit=100),
)
SIZES = [(80, 24), (120, 40), (40, 10), (200, 100)]


def texts(found: Reading, width: int = 80, height: int = 24, **more: str) -> list[str]:
    return ["".join(text for text, _ in line) for line in draw(found, width, height, **more)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("found", [MANY, reading(), reading_without_counts()])
def test_lines_fit_the_terminal(found: Reading, width: int, height: int) -> None:
    lines = texts(found, width, height, note="Redis is away. " * 20, hint="q: leave")

    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_80_columns_and_24_lines_have_room_for_each_part() -> None:
    lines = "\n".join(texts(MANY))

    for part in ("Runs ", "Causes ", "Time ", "Queues ", "Redis ", "History ", "Webhooks "):
        assert f"\n{part}" in lines
    for table in ("WORKER", "NODE TYPE, 5 min", "PROVIDER, 5 min"):
        assert re.search(rf"\n{table} \(\+2\d\)", lines)


def test_figures_of_the_last_seconds_stand_above() -> None:
    lines = "\n".join(texts(reading(sample(failed=5, causes={"provider": 5}))))

    assert "completed 12/s  failed 0.50/s" in lines
    assert "Causes    provider 5" in lines
    assert "held 3 of 16" in lines
    assert "p50 18 ms" in lines


def test_problems_stand_below_the_title_and_the_gravest_first() -> None:
    lines = texts(
        reading(workers=[], queues=[queue("walk", 7, 60)], redis=RedisMemory(used=95, limit=100))
    )

    assert lines[1].startswith("No worker is alive")
    assert lines[2].startswith("7 wait in walk, the first for 60 s")
    assert lines[4].startswith("Redis is 95% full") or lines[3].startswith("Redis is 95% full")


def test_a_note_stands_before_all_problems() -> None:
    assert (
        texts(reading(workers=[]), note="Redis has not answered.")[1] == "Redis has not answered."
    )


def test_without_counts_the_state_is_shown() -> None:
    lines = "\n".join(texts(reading_without_counts()))

    assert "There are no samples" in lines
    assert "Queues    walk 0" in lines
    assert "Runs " not in lines


def test_what_is_wrong_is_marked() -> None:
    styles = {text.strip(): style for line in draw(MANY, 80, 24) for text, style in line}

    assert styles["4.00/s"] == "bad"
    assert styles["Redis is 95% full: soon it takes no new runs."] == "bad"
