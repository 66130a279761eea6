"""The headers of limited routes keep their promise, at any time of the calls."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.settings import Settings
from engine.store.redis.client import Client
from engine.store.redis.scripts import Script
from tests.support.http.structured_fields import read_list

NOON = 1_764_072_000_000
LIMIT = 7
WINDOW = 60_000
COUNTING = {"count_key_call", "count_session_call"}


@dataclass
class Clock:
    """The clock of the rate windows, in milliseconds."""

    now: int = NOON
    passed: list[int] = field(default_factory=list)
    """Times of admitted calls."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock, call = Clock(), Client.call

    def call_then(client: Client, script: Script, **names: Any) -> Any:
        if script.name in COUNTING:
            assert "now" not in names, "the time is Redis's own"
            names["now"] = clock.now
        return call(client, script, **names)

    monkeypatch.setattr(Client, "call", call_then)
    return clock


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\nruns_per_minute = {LIMIT}\n")
    return Settings(redis_url=redis_url, tiers_file=str(path))


async def run(
    client: httpx2.AsyncClient, clock: Clock, path: str = "none"
) -> tuple[int, dict[str, int]]:
    """Return the status of a call and its headers, which agree in every format."""
    answer = await client.post(f"/api/workflows/{path}/run", json={"inputs": {}})
    headers = answer.headers
    stand, policy = read_list(headers["ratelimit"]), read_list(headers["ratelimit-policy"])

    assert list(stand) == list(policy) == ["default"]
    assert (list(stand["default"]), list(policy["default"])) == (["r", "t"], ["q", "w"])
    left, seconds = stand["default"]["r"], stand["default"]["t"]
    assert policy["default"] == {"q": LIMIT, "w": 60}
    assert headers["x-ratelimit-limit"] == str(LIMIT)
    assert headers["x-ratelimit-remaining"] == str(left)
    ends = int(headers["x-ratelimit-reset"])
    assert ends * 1000 - WINDOW <= clock.now < ends * 1000
    assert ends * 1000 <= clock.now + seconds * 1000 < ends * 1000 + 1000
    if answer.status_code == 429:
        assert headers["retry-after"] == str(seconds) == str(answer.json()["retryAfter"])
    else:
        assert "retry-after" not in headers
        clock.passed.append(clock.now)
    return answer.status_code, {"left": left, "seconds": seconds, "ends": ends}


@pytest.mark.A26
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_left_never_rises_within_a_window_and_never_falls_below_zero(
    client: httpx2.AsyncClient, clock: Clock, seed: int
) -> None:
    random_ = random.Random(seed)
    before: dict[str, int] = {"ends": 0, "left": LIMIT, "seconds": 60}

    for _ in range(200):
        clock.now += random_.choice([0, 1, 17, 999, 5_000, random_.randrange(70_000)])
        status, now = await run(client, clock)

        start = before if now["ends"] == before["ends"] else {"left": LIMIT, "seconds": 60}
        assert now["left"] == max(0, start["left"] - 1)
        assert 1 <= now["seconds"] <= start["seconds"]
        assert (status == 429) is (start["left"] == 0)
        before = now

    by_window = Counter(at // WINDOW for at in clock.passed)
    assert max(by_window.values()) == LIMIT


@pytest.mark.A26
async def test_who_waits_as_long_as_told_gets_through(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient, clock: Clock
) -> None:
    for start in (0, 1, 12_345, 58_999, 59_000, 59_001, 59_999):
        clock.now += WINDOW - clock.now % WINDOW + start
        for number in range(LIMIT):
            assert (await run((client, browser)[number % 2], clock))[0] == 404
        status, reported = await run(client, clock)

        clock.now += reported["seconds"] * 1000

        again, fresh = await run(browser, clock)
        assert (status, again, fresh["left"]) == (429, 404, LIMIT - 1)


@pytest.mark.A23
async def test_around_the_end_of_a_window_two_windows_of_calls_pass_and_no_more(
    client: httpx2.AsyncClient, clock: Clock
) -> None:
    clock.now = NOON + WINDOW - 1
    before = [(await run(client, clock))[0] for _ in range(LIMIT + 2)]
    clock.now = NOON + WINDOW
    after = [(await run(client, clock))[0] for _ in range(LIMIT + 2)]
    clock.now = NOON + 2 * WINDOW - 1
    late = (await run(client, clock))[0]

    assert before == after == [404] * LIMIT + [429] * 2
    assert late == 429


@pytest.mark.A24
async def test_no_spelling_has_calls_of_its_own(client: httpx2.AsyncClient, clock: Clock) -> None:
    for path in ("NONE", "n%6fne", "none%20", "none;x", "x" * 65, "%F0%9F%A6%94"):
        clock.now += WINDOW
        answers = [await run(client, clock, each) for each in ("none", path, "none", path)]

        assert [LIMIT - now["left"] for _, now in answers] == [1, 2, 3, 4], path


@pytest.mark.parametrize(
    "text",
    ["", "default", '"default', '"a";r', '"a";r=1.5', '"a";R=1', '"a"; r=1;', '"a",', '"ä";r=1']
    + ['"a";r=1 , ', '"a";r=+1', '"a";r=1;r=2', '"a", "a"', '"a"\n'],
)
def test_the_reader_of_these_tests_is_strict(text: str) -> None:
    with pytest.raises(ValueError):
        read_list(text)
