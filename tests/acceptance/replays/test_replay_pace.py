"""Pace of replays, and of another account's runs and replays beside them."""

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.acceptance.callers import Caller, make_caller, p95, save
from tests.support.acceptance.running_stack import running
from tests.support.contract.replay_caller import ReplayCaller
from tests.support.factories import greeting

RUNS = 100
ROWS = 200


def beside_replays(folder: Path, *, replays: int) -> tuple[float, float, float, float]:
    """Return the p95 of a caller alone and beside a greedy account's replays; and the seconds of
    a small replay of a third account alone and beside these."""
    with running(folder, "--no-demo", "--workers", "2") as stack:
        greedy, modest = ReplayCaller(stack, "greedy"), ReplayCaller(stack, "modest")
        slugs = {each: each.save("Replayed", greeting()) for each in (greedy, modest)}
        greedy.runs(slugs[greedy], ROWS)
        modest.runs(slugs[modest], RUNS)
        _, key = make_caller(stack, "light")
        with closing(Caller(stack, save(stack, key, "Light"), key)) as caller:
            caller.times(lambda made: made < 100)
            alone = caller.times(lambda made: made < 200)
            small = _seconds(modest, slugs[modest])
            begun = [greedy.replay(slugs[greedy], ROWS, 1, "recorded") for _ in range(replays)]
            over = threading.Event()

            def watch() -> None:
                for each in begun:
                    greedy.end_replay(each, seconds=300)
                over.set()

            watcher = threading.Thread(target=watch)
            watcher.start()
            small_beside = _seconds(modest, slugs[modest])
            beside = caller.times(lambda made: not over.is_set() or made < 50)
            watcher.join()
            assert all(greedy.replayed(each)["counts"]["same"] == ROWS for each in begun)
    return p95(alone), p95(beside), small, small_beside


def _seconds(modest: ReplayCaller, slug: str) -> float:
    began = time.perf_counter()
    replay = modest.replay(slug, 5, 1, "recorded")
    assert modest.end_replay(replay)["counts"]["same"] == 5
    return time.perf_counter() - began


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_replays_of_one_account_leave_others_their_pace(tmp_path: Path) -> None:
    alone, beside, small, small_beside = beside_replays(tmp_path, replays=20)

    print(f"p95 of another account's runs alone {alone * 1000:.2f} ms, ", end="")
    print(f"beside 20 replays of {ROWS} runs {beside * 1000:.2f} ms; ", end="")
    print(f"a replay of 5 runs alone {small:.2f} s, beside them {small_beside:.2f} s")
    assert beside <= max(0.05, 5 * alone)
    assert small_beside <= max(2.0, 10 * small)
