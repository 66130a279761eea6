"""Place of the history's database in a data folder."""

from pathlib import Path

import pytest

from engine.history.database import location
from engine.history.database.location import check_url, sqlite_url
from engine.process.extras import install_hint
from engine.settings import SettingError


def test_the_url_names_the_file_absolutely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert sqlite_url(Path("data")) == f"sqlite:///{tmp_path}/data/history.sqlite"


def test_without_its_driver_postgresql_is_refused_with_the_command_that_adds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(location, "find_spec", lambda _: None)

    with pytest.raises(SettingError) as refused:
        check_url("postgresql://headrace@127.0.0.1/headrace")

    assert str(refused.value).endswith(f"driver is missing: {install_hint('postgres')}")
