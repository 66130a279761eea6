"""The environment file of a new installation."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.admin.environment_file import MAKERS, make_environment, write_new
from deploy.output.problems import CommandFailed
from engine.access.sealing import Sealer
from engine.models.registry import shipped_models


def parse(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_every_secret_is_there_and_new() -> None:
    one, other = parse(make_environment()), parse(make_environment())

    assert set(one) == set(other) == set(MAKERS)
    assert not set(one.values()) & set(other.values())
    assert len(set(one.values())) == len(MAKERS)
    assert all(len(value) >= 20 and value.isalnum() for value in one.values())


def test_passwords_stand_in_an_address_as_they_are() -> None:
    password = parse(make_environment())["REDIS_PASSWORD"]

    assert urlsplit(f"redis://:{password}@valkey:6379/0").password == password


def test_the_key_for_secrets_is_one_that_is_taken() -> None:
    Sealer.from_secret_key(parse(make_environment())["HEADRACE_SECRET_KEY"]).require_key()


def test_keys_of_all_providers_have_a_line_to_fill_in() -> None:
    endpoints = [model.call.endpoint for model in shipped_models() if model.call.endpoint]
    names = {each.api_key_env for each in endpoints if each.api_key_env}
    lines = make_environment().splitlines()

    assert {f"#{name}=" for name in names} <= set(lines)
    assert any(line.startswith("#HEADRACE_PUBLIC_URL=") for line in lines)


def test_a_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    write_new(path, "A=1\n")
    with pytest.raises(CommandFailed, match="is there already"):
        write_new(path, "A=2\n")

    assert path.read_text() == "A=1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
