import json
import os
import stat
from pathlib import Path

import pytest

from deploy.output.problems import CommandFailed
from deploy.stack.location import (
    REDIS_URL,
    Stack,
    find_stack,
    forget,
    lock_data_dir,
    media_url,
    open_data_dir,
    read_private,
    remember,
    shared_settings,
    write_private,
)

URL = "http://127.0.0.1:8000"


def test_a_stack_that_has_started_is_found_by_its_data_directory(tmp_path: Path) -> None:
    stack = Stack(data_dir=tmp_path, redis_url="unix:///x.sock", url=URL)
    remember(stack)

    assert find_stack(tmp_path, {}) == stack


def test_commands_find_the_settings_by_which_the_stack_keeps_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {"HEADRACE_TIERS_FILE": "tiers.toml", "HEADRACE_REDIS_TLS_CA": "ca.pem"}
    environ = {**files, "HEADRACE_RETENTION_DAYS": "7", "HOME": "/"}
    settings = shared_settings(environ)
    stack = Stack(data_dir=tmp_path, redis_url="unix:///x.sock", url=URL, settings=settings)
    remember(stack)

    assert settings == {
        "HEADRACE_TIERS_FILE": str(tmp_path / "tiers.toml"),
        "HEADRACE_REDIS_TLS_CA": str(tmp_path / "ca.pem"),
        "HEADRACE_RETENTION_DAYS": "7",
    }
    assert find_stack(tmp_path, {}) == stack
    assert find_stack(tmp_path, {REDIS_URL: "redis://elsewhere"}).settings == {}


def test_a_stack_that_has_stopped_is_not_found(tmp_path: Path) -> None:
    remember(Stack(data_dir=tmp_path, redis_url="unix:///x.sock", url=URL))
    forget(tmp_path)

    with pytest.raises(CommandFailed, match="headrace up"):
        find_stack(tmp_path, {})


def test_the_environment_names_a_stack_before_the_directory_does(tmp_path: Path) -> None:
    remember(Stack(data_dir=tmp_path, redis_url="unix:///x.sock", url=URL))

    found = find_stack(tmp_path, {REDIS_URL: "redis://elsewhere"})

    assert found == Stack(data_dir=tmp_path, redis_url="redis://elsewhere", url=None)


def test_the_directory_adds_the_api_of_the_stack_that_the_environment_names(tmp_path: Path) -> None:
    remember(Stack(data_dir=tmp_path, redis_url="redis://here", url=URL))

    assert find_stack(tmp_path, {REDIS_URL: "redis://here"}).url == URL


def test_the_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(mode=0o755, parents=True)

    open_data_dir(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CommandFailed, match="cannot be used"):
        open_data_dir(tmp_path / "file" / "folder")


def test_a_second_claim_on_a_directory_names_the_first(tmp_path: Path) -> None:
    held = lock_data_dir(tmp_path)

    with pytest.raises(CommandFailed, match=f"process {os.getpid()}"):
        lock_data_dir(tmp_path)

    os.close(held)
    os.close(lock_data_dir(tmp_path))


def test_a_private_record_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"

    write_private(path, {"key": "one"})
    write_private(path, {"key": "two"})

    assert read_private(path) == {"key": "two"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps("text")])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "demo.json"
    path.write_text(text)

    assert read_private(path) == {}


def test_media_are_kept_in_the_data_directory_unless_the_environment_says_where(
    tmp_path: Path,
) -> None:
    assert media_url(tmp_path, {}) == (tmp_path / "media").as_uri()
    assert media_url(tmp_path, {"HEADRACE_MEDIA_URL": ""}) == (tmp_path / "media").as_uri()
    assert media_url(tmp_path, {"HEADRACE_MEDIA_URL": "s3://b/p"}) == "s3://b/p"
