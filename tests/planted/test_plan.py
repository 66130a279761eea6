"""Planted faults fit the code: each has a place in it, and rows whose tests must catch it."""

from pathlib import Path

import pytest

from tests.catalogue.rows import rows
from tests.planted.plan import ROOT, Planted, planted_faults

FAULTS = planted_faults()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.name)
def test_a_fault_has_one_place_in_the_code(fault: Planted) -> None:
    text = (ROOT / fault.file).read_text(encoding="utf-8")

    assert fault.changed(text) != text


def test_faults_have_names_and_rows_of_the_catalogue() -> None:
    assert len({each.name for each in FAULTS}) == len(FAULTS) >= 60
    assert {row for each in FAULTS for row in each.rows} <= rows().keys()


def test_a_fault_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    fault = Planted(name="n", file="a.py", old="1", new="2", rows=("F01",))

    with fault.planted(tmp_path):
        assert (tmp_path / "a.py").read_text() == "x = 2\n"

    assert (tmp_path / "a.py").read_text() == "x = 1\n"


def test_a_text_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    fault = Planted(name="a planted fault", file="a.py", old="y", new="2", rows=("F01",))

    with pytest.raises(ValueError, match="'a planted fault' 0 times"), fault.planted(tmp_path):
        pass
