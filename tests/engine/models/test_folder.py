"""Folder of an operator's manifests: additions, and changes while a process runs."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.models import folder
from engine.models.registry import all_models, find_model, folder_errors, generation, use_folder
from tests.support.manifests import manifest


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that is scanned at each access."""
    monkeypatch.setattr(folder, "SCAN_SECONDS", 0.0)
    yield tmp_path
    use_folder("")


def write(path: Path, text: str, second: int = 1) -> None:
    path.write_text(text)
    os.utime(path, (second, second))


def test_its_models_are_there_beside_those_that_ship(own: Path) -> None:
    write(own / "mine.toml", manifest("mine"))

    use_folder(str(own))

    assert find_model("mine") in all_models()
    assert find_model("echo") is not None


def test_one_of_the_same_name_replaces_the_one_that_ships(own: Path) -> None:
    write(own / "echo.toml", manifest("echo", category="image"))

    use_folder(str(own))

    echo = find_model("echo")
    assert echo is not None and echo.category == "image"
    assert [each.internal_name for each in all_models()].count("echo") == 1


def test_without_a_folder_there_is_what_ships_again(own: Path) -> None:
    write(own / "mine.toml", manifest("mine"))
    use_folder(str(own))
    assert find_model("mine") is not None

    use_folder("")

    assert find_model("mine") is None


def test_files_that_come_change_and_go_are_noticed(own: Path) -> None:
    use_folder(str(own))
    generations = [generation()]

    write(own / "mine.toml", manifest("mine", tier="free"))
    first = find_model("mine")
    generations.append(generation())
    write(own / "mine.toml", manifest("mine", tier="pro"), second=2)
    second = find_model("mine")
    generations.append(generation())
    (own / "mine.toml").unlink()
    generations.append(generation())

    assert first is not None and second is not None
    assert (first.tier, second.tier, find_model("mine")) == ("free", "pro", None)
    assert len(set(generations)) == 4


def test_what_does_not_change_is_the_same_object(own: Path) -> None:
    write(own / "mine.toml", manifest("mine"))
    use_folder(str(own))
    before, number = find_model("mine"), generation()

    write(own / "other.toml", manifest("other"))

    assert find_model("mine") is before
    assert generation() != number
    assert generation() == generation()


def test_a_wrong_manifest_is_told_once_and_keeps_no_other_from_loading(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(own / "a.toml", manifest("a", tier="gold"))
    write(own / "b.toml", manifest("b"))
    use_folder(str(own))

    with caplog.at_level(logging.WARNING):
        found = [find_model(name) is not None for name in ("a", "b", "a")]

    assert found == [False, True, False]
    logs = [vars(record)["reason"] for record in caplog.records]
    assert logs == [f"{own}/a.toml:4: tier must be one of free, creator, pro, business, enterprise"]


def test_a_file_that_was_right_and_is_wrong_now_counts_as_it_was_until_it_is_right(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(own / "a.toml", manifest("a"))
    write(own / "b.toml", manifest("b"))
    use_folder(str(own))
    before, other = find_model("a"), find_model("b")

    with caplog.at_level(logging.WARNING):
        write(own / "a.toml", "half a line", second=2)
        broken = [find_model("a"), find_model("b"), find_model("a")]
    write(own / "a.toml", manifest("a", tier="pro"), second=3)
    after = find_model("a")

    assert before is not None and after is not None
    assert broken == [before, other, before]
    assert (before.tier, after.tier) == ("free", "pro")
    (record,) = caplog.records
    assert record.msg == "a manifest is wrong; what it said before goes on"
    assert vars(record)["reason"].startswith(f"{own}/a.toml:1: this is not TOML")
    assert folder_errors() == ()


def test_a_file_that_is_wrong_and_then_gone_leaves_nothing_behind(own: Path) -> None:
    write(own / "a.toml", manifest("a"))
    use_folder(str(own))
    assert find_model("a") is not None
    write(own / "a.toml", "half a line", second=2)
    assert find_model("a") is not None

    (own / "a.toml").unlink()
    gone = find_model("a")
    write(own / "a.toml", "half a line", second=3)

    assert (gone, find_model("a")) == (None, None)


def test_another_file_may_take_the_name_of_one_that_says_another_now(own: Path) -> None:
    write(own / "a.toml", manifest("a"))
    use_folder(str(own))
    write(own / "a.toml", manifest("b"), second=2)
    write(own / "z.toml", manifest("a", tier="pro"))

    taken = find_model("a")

    assert taken is not None and taken.tier == "pro"
    assert find_model("b") is not None


def test_two_files_with_one_name_are_told_of(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(own / "a.toml", manifest("a"))
    write(own / "z.toml", manifest("a"))
    use_folder(str(own))

    with caplog.at_level(logging.WARNING):
        assert find_model("a") is not None

    (record,) = caplog.records
    assert vars(record)["reason"] == f"{own}/z.toml: internalName 'a' is taken by a.toml"


def test_a_folder_that_is_not_there_has_no_models_and_is_told_of_once(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    use_folder(str(own / "nowhere"))

    with caplog.at_level(logging.WARNING):
        assert find_model("echo") is find_model("echo") is not None

    assert [vars(record)["reason"] for record in caplog.records] == ["No such file or directory"]


def test_a_folder_is_not_looked_at_all_the_time(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "SCAN_SECONDS", 3600.0)
    use_folder(str(own))
    assert find_model("mine") is None

    write(own / "mine.toml", manifest("mine"))

    assert find_model("mine") is None
