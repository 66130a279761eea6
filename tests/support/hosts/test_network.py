"""Hosts reach each other by name, are cut off without a word, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hosts.commands import ip, missing_for_hosts, namespaces
from tests.support.hosts.host import Host
from tests.support.hosts.leftovers import PREFIX, remove_leftovers
from tests.support.hosts.network import Network

pytestmark = pytest.mark.skipif(bool(missing_for_hosts()), reason=missing_for_hosts())

FETCH = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=float(sys.argv[2])).status)
except OSError as error:
    print(getattr(error, "reason", error))
"""


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


def fetch(host: Host, url: str, seconds: float = 0.4) -> str:
    """Return the status of a call from a host, or its error."""
    return host.run([sys.executable, "-c", FETCH, url, str(seconds)], env={}).stdout.strip()


def cables() -> list[str]:
    """Return the names of the network devices of this process."""
    return [line.split(": ")[1] for line in ip("-o", "link").splitlines()]


def serve(host: Host) -> subprocess.Popen[bytes]:
    """Start an HTTP server on a host, and wait until it answers."""
    argv = [sys.executable, "-m", "http.server", "8000", "--directory", str(host.folder)]
    process = host.start(argv, env={}, log=host.folder / "log")
    for _ in range(100):
        if fetch(host, f"http://{host.name}:8000/") == "200":
            return process
        time.sleep(0.05)
    raise AssertionError((host.folder / "log").read_text())


def test_a_host_is_reached_by_its_names_and_times_out_while_it_is_cut_off(network: Network) -> None:
    one, two = network.add_host("one"), network.add_host("two", aliases=("web", "web.local"))
    serve(two)

    assert fetch(one, "http://two:8000/") == fetch(one, "http://web.local:8000/") == "200"
    two.cut()
    assert fetch(one, "http://web:8000/") == "timed out"
    assert fetch(two, "http://web:8000/") == "200", "a host reaches itself"
    two.mend()
    assert fetch(one, "http://web:8000/") == "200"


def test_two_hosts_lose_each_other_and_reach_a_third(network: Network) -> None:
    one, two, three = (network.add_host(name) for name in ("one", "two", "three"))
    serve(two)
    serve(three)

    one.cut(two)
    assert fetch(one, "http://two:8000/") == "timed out"
    assert fetch(one, "http://three:8000/") == fetch(three, "http://two:8000/") == "200"
    one.mend(two)
    assert fetch(one, "http://two:8000/") == "200"


def test_a_process_has_the_name_folder_and_user_of_its_host(network: Network) -> None:
    host = network.add_host("one")
    log = host.folder / "log"
    script = "hostname; id -u; echo $TMPDIR; echo $GREETING"
    process = host.start(["sh", "-c", script], env={"GREETING": "hello"}, log=log, user=65532)

    assert process.wait(10) == 0
    assert log.read_text().split() == ["one", "65532", str(host.folder), "hello"]


def test_a_stop_tells_its_time_and_a_kill_reaches_all_processes(network: Network) -> None:
    host = network.add_host("one")
    slow = "trap 'sleep 0.2; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
    process = host.start(["sh", "-c", slow], env={}, log=host.folder / "log")
    while "ready" not in (host.folder / "log").read_text():
        time.sleep(0.01)

    assert 0.2 <= host.stop(process) < 5
    assert process.returncode == 3
    parent = host.start(["sh", "-c", "sleep 100 & wait"], env={}, log=host.folder / "log")
    while len(host.pids()) < 2:
        time.sleep(0.01)
    host.kill()
    assert (parent.returncode, host.pids()) == (-signal.SIGKILL, [])


def test_nothing_is_left_after_a_failure() -> None:
    before = cables()
    with pytest.raises(ZeroDivisionError), Network() as network:
        cable = set(cables()) - set(before)
        process = serve(network.add_host("one"))
        folder, names = network.folder, [network.switch, network.hosts["one"].namespace]
        assert set(names) <= set(namespaces())
        _ = 1 // 0

    assert process.poll() is not None
    assert not set(names) & set(namespaces())
    assert not folder.exists()
    assert cable and not cable & set(cables())


def test_namespaces_of_a_killed_test_run_are_removed(tmp_path: Path) -> None:
    code = (
        "import os, signal, pathlib\n"
        "from tests.support.hosts.network import Network\n"
        "network = Network().__enter__()\n"
        "host = network.add_host('one')\n"
        "host.start(['sleep', '100'], env={}, log=pathlib.Path('log').absolute())\n"
        "while not host.pids(): pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environ)
    assert killed.wait(30) == -signal.SIGKILL
    left = {f"{PREFIX}-{killed.pid}-1-{name}" for name in ("switch", "one")}
    assert left <= set(namespaces())

    assert left <= set(remove_leftovers())
    assert not left & set(namespaces())
