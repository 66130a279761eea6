"""Load of the machine by others."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workers.history.archiver import BUSY_SHARE
from workers.history.load import OtherLoad


def test_the_share_of_others_is_that_of_busy_times_since_the_last_reading(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n")
    load = OtherLoad(stat)

    stat.write_text("cpu  160 0 110 830 0 0 0 0 0 0\ncpu0 1 2 3\n")

    assert load.share() == pytest.approx(0.7, abs=0.05)
    assert load.share() == 0.0


def test_what_this_process_takes_from_others_makes_them_no_less_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 800 0 0 0 0 0 0\n")
    monkeypatch.setattr("time.process_time", lambda: 10.0)
    load = OtherLoad(stat)

    ticks = os.sysconf("SC_CLK_TCK")
    stat.write_text(f"cpu  {100 + 10 * ticks} 0 100 800 0 0 0 0 0 0\n")
    monkeypatch.setattr("time.process_time", lambda: 14.0)

    assert load.share() == pytest.approx(1.0)


def test_without_counters_others_do_nothing(tmp_path: Path) -> None:
    assert OtherLoad(tmp_path / "missing").share() == 0.0


def test_the_machine_of_the_tests_has_a_share() -> None:
    assert 0.0 <= OtherLoad().share() <= 1.0


def test_processes_that_need_all_processors_are_busy_others() -> None:
    command = (sys.executable, "-S", "-c", "while True: pass")
    processes = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        load = OtherLoad()
        for _ in range(100):
            time.sleep(0.1)
            if load.share() > BUSY_SHARE:
                break
        else:
            raise AssertionError("these processes are not seen")
    finally:
        for each in processes:
            each.kill()
            each.wait()
