import stat
from pathlib import Path

import pytest

from deploy.stack.secret_key import find_key, find_or_make_key
from tests.deploy.test_cli import headrace

OWN = "of-the-operator-" * 3


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_SECRET_KEY", raising=False)


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    assert find_key(tmp_path) == ""

    made = find_or_make_key(tmp_path)

    assert len(made) == 64
    assert find_or_make_key(tmp_path) == find_key(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_the_environments_key_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_or_make_key(tmp_path)
    monkeypatch.setenv("HEADRACE_SECRET_KEY", OWN)

    assert find_or_make_key(tmp_path) == find_key(tmp_path) == OWN


def test_with_the_environments_key_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_SECRET_KEY", OWN)

    find_or_make_key(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["gateway", "worker"])
def test_a_part_alone_does_not_start_without_the_key_and_says_how_to_make_one(part: str) -> None:
    done = headrace(part, HEADRACE_REDIS_URL="unix:///nowhere/at/all.sock")

    assert done.returncode == 1
    assert "HEADRACE_SECRET_KEY is not set" in done.stderr
    assert "openssl rand -hex 32" in done.stderr


def test_a_key_that_is_too_short_is_refused_without_being_shown() -> None:
    done = headrace("worker", HEADRACE_SECRET_KEY="tooshort")

    assert done.returncode == 1
    assert "HEADRACE_SECRET_KEY: a key has at least 32 characters" in done.stderr
    assert "tooshort" not in done.stderr
