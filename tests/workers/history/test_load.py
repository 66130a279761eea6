"""Load of the machine by others."""

from pathlib import Path

import pytest

from workers.history.load import OtherLoad


def test_the_share_of_others_is_that_of_busy_times_since_the_last_reading(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n")
    load = OtherLoad(stat)

    stat.write_text("cpu  160 0 110 830 0 0 0 0 0 0\ncpu0 1 2 3\n")

    assert load.share() == pytest.approx(0.7, abs=0.05)
    assert load.share() == 0.0


def test_without_counters_others_do_nothing(tmp_path: Path) -> None:
    assert OtherLoad(tmp_path / "missing").share() == 0.0


def test_the_machine_of_the_tests_has_a_share() -> None:
    assert 0.0 <= OtherLoad().share() <= 1.0
