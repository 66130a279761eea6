"""Installation of missing commands from Debian's packages."""

import os
from collections.abc import Sequence

import pytest

from deploy.packaging import system_tools
from deploy.packaging.system_tools import find_missing, main


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Replace the installation by a list of what it was asked for."""
    calls: list[Sequence[str]] = []

    def install(packages: Sequence[str]) -> int:
        calls.append(packages)
        return 0

    monkeypatch.setattr(system_tools, "install", install)
    monkeypatch.setattr(
        system_tools.shutil, "which", lambda name, **_: name in ("sh", "apt-get") and name
    )
    return calls


def test_commands_that_are_here_need_nothing(installed: list[Sequence[str]]) -> None:
    assert main(["sh"]) == 0
    assert installed == []


def test_a_package_is_named_once_for_all_of_its_commands() -> None:
    assert find_missing({"sh": "dash", "no-such-a": "same", "no-such-b": "same"}) == ["same"]


def test_root_installs_the_packages_of_missing_commands(
    installed: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert main(["sh", "buildah", "promtool=prometheus"]) == 0
    assert installed == [["buildah", "prometheus"]]


def test_others_are_told_to_install_them(
    installed: list[Sequence[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert main(["promtool=prometheus"]) == 1
    assert "apt-get install prometheus" in capsys.readouterr().err
    assert installed == []
