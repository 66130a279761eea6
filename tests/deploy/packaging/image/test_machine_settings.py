"""Settings of a machine that a build needs, without those that hold there alone."""

from pathlib import Path

import pytest

from deploy.packaging.image import machine_settings
from deploy.packaging.image.machine_settings import MOUNTED, apt_file, npm_file, pip_file


def test_pip_keeps_its_index_and_no_path_of_the_machine() -> None:
    settings = {
        "index-url": "https://user:pass@index.test/simple",
        "find-links": "/opt/wheels",
        "constraint": "/etc/constraints.txt",
        "cert": "/etc/ssl/own.pem",
        "timeout": "180",
    }

    assert pip_file(settings, has_certificates=True) == (
        "[global]\n"
        f"cert = {MOUNTED}\nindex-url = https://user:pass@index.test/simple\ntimeout = 180\n"
    )
    assert "cert" not in pip_file(settings, has_certificates=False)


def test_npm_keeps_its_registry_and_the_token_for_it() -> None:
    lines = ["registry=https://npm.test/", "//npm.test/:_authToken=t", "cache=/home/me", "fund=no"]

    assert npm_file(lines, has_certificates=True) == (
        f"registry=https://npm.test/\n//npm.test/:_authToken=t\ncafile={MOUNTED}\n"
    )


def test_apt_keeps_its_proxies_and_checks_of_dates() -> None:
    told = [
        'Acquire::Check-Date "false";',
        'Acquire::http "";',
        'Acquire::http::Proxy "http://proxy.test:3142";',
        'Dir::State "/var/lib/apt";',
    ]

    assert apt_file(told) == (
        'Acquire::Check-Date "false";\nAcquire::http::Proxy "http://proxy.test:3142";\n'
    )


def test_files_are_readable_by_their_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = tmp_path / "own.pem"
    certificates.write_text("CERTIFICATE")
    monkeypatch.setattr(machine_settings, "_output", lambda *_: [])
    environ = {"SSL_CERT_FILE": str(certificates), "NPM_CONFIG_USERCONFIG": "/nowhere"}

    files = machine_settings.write_settings(tmp_path, environ)

    assert {name: path.read_text() for name, path in files.items()} == {
        "pip.conf": f"[global]\ncert = {MOUNTED}\n",
        "npmrc": f"cafile={MOUNTED}\n",
        "apt.conf": "",
        "ca.crt": "CERTIFICATE",
    }
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}


def test_settings_of_the_environment_win(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [":env:.timeout='9'", "global.timeout='1'", "freeze.timeout='5'"]
    monkeypatch.setattr(machine_settings, "_output", lambda *_: lines)

    assert dict(machine_settings._pip_settings()) == {"timeout": "9"}
