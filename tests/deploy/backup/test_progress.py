import pytest

from deploy.backup.progress import ProgressLines, shown_bytes


def test_a_long_part_is_told_every_few_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("deploy.backup.progress.monotonic", lambda: now)
    progress = ProgressLines()
    progress.say("begins")
    for seconds in range(11):
        now = 100.0 + seconds
        progress.report("redis/0.rdb", seconds * 1_000_000)

    assert capsys.readouterr().err.splitlines() == [
        "begins",
        "redis/0.rdb: 5.0 MB",
        "redis/0.rdb: 10.0 MB",
    ]


def test_nothing_is_told_beside_json(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ProgressLines(is_quiet=True)
    progress.say("begins")
    progress.count("keys", 1)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 KB"), (2_000_000, "2.0 MB")],
)
def test_sizes_have_the_unit_that_suits_them(size: int, shown: str) -> None:
    assert shown_bytes(size) == shown


def test_the_largest_unit_has_no_limit() -> None:
    assert shown_bytes(12_345_000_000_000) == "12345.0 GB"
