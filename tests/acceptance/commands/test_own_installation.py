"""An installation of one's own, from an empty Redis to the demonstration, by its commands alone."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from deploy.net.http_client import call
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, running_fleet

PUBLIC_URL = "https://flows.example.org"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path, is_marked=False) as fleet:
        yield fleet


def test_a_newcomer_begins_looks_after_and_shows_an_installation(fleet: Fleet) -> None:
    worker = fleet.start(WORKER)
    begun = fleet.command("init")
    gateway = fleet.start(GATEWAY).wait_ready()
    ports = {"HEADRACE_PORT": str(gateway.port), "HEADRACE_HEALTH_PORT": str(worker.port)}
    worker.wait_ready()

    healthy = [fleet.command("health", *kind, **ports) for kind in ((), ("worker",))]
    first = fleet.command("demo", "--url", gateway.url, HEADRACE_PUBLIC_URL=PUBLIC_URL)
    again = fleet.command("demo", "--url", gateway.url)

    assert begun.returncode == 0, begun.stderr
    assert [each.stdout for each in healthy] == [
        f"{gateway.url} is ready\n",
        f"{worker.url} is ready\n",
    ]
    assert first.returncode == 0, first.stderr
    assert "The example 'greeting-letter' answered:\n\nDear Ada,\n" in first.stdout
    assert f"curl -s {PUBLIC_URL}/api/workflows/greeting-letter/run" in first.stdout
    assert f"Pages     {PUBLIC_URL}" in first.stdout
    assert f"Sign in   {PUBLIC_URL}/login?token=" in first.stdout
    assert again.stdout.startswith("The demonstration is there already. This is a new key of it;")
    assert [signs_in(gateway.url, each.stdout) for each in (first, again)] == [303, 303]
    assert [runs(gateway.url, each.stdout) for each in (first, again)] == [200, 200]


def test_a_demonstration_without_a_gateway_makes_nothing(fleet: Fleet) -> None:
    fleet.command("init")

    nowhere = fleet.command("demo")
    away = fleet.command("demo", "--url", "http://127.0.0.1:9")

    assert "name --url, or set HEADRACE_PUBLIC_URL" in nowhere.stderr
    assert "http://127.0.0.1:9 does not answer" in away.stderr
    assert (nowhere.returncode, away.returncode) == (1, 1)
    assert fleet.command("account", "list", "--json").stdout == "[]\n"


def signs_in(url: str, shown: str) -> int:
    """Follow the printed link as a browser at the gateway would; return the status."""
    [link] = [line.split()[-1] for line in shown.splitlines() if line.startswith("Sign in ")]
    headers = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    return httpx2.get(f"{url}/login?{link.partition('?')[2]}", headers=headers).status_code


def runs(url: str, shown: str) -> int:
    """Run the printed command at the gateway; return the status."""
    [line] = [line for line in shown.splitlines() if line.startswith("curl ")]
    words = shlex.split(line)
    key = words[words.index("-H") + 1].removeprefix("x-api-key: ")
    path = words[2][words[2].index("/api/") :]
    return call("POST", url + path, key=key, body=words[words.index("-d") + 1].encode())[0]
