"""The overlay for one node on real processes: probes, signals and grace periods of its manifests.

Each pod is a host with its own address, whose processes have the root, the user, the rights, the
arguments and the variables of the manifest. Everything is started at once, in no order.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.store.redis import keyspace, process_keys
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA
from tests.support.acceptance.running_stack import until
from tests.support.compose.compose_file import find_tool
from tests.support.hosts.commands import missing_for_hosts
from tests.support.hosts.network import Network
from tests.support.kubernetes.calls import Answers, Client, CountedTarget, calling, under_load
from tests.support.kubernetes.cluster import Cluster
from tests.support.kubernetes.manifests import SECRETS, build, load
from tests.support.kubernetes.pod import Pod
from tests.support.process.forked_command import headrace

pytestmark = pytest.mark.slow
GATEWAY, WORKER = "headrace-gateway", "headrace-worker"
CALLERS = 8
LONG_SECONDS = 20.0
"""A call that is under way while its worker drains; less than HEADRACE_DRAIN_SECONDS."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A cluster with an account, and the server that its runs call."""

    cluster: Cluster
    client: Client
    target: CountedTarget

    def save(self, seconds: float) -> str:
        """Save a workflow whose only node takes some seconds; return its slug."""
        body = calling(self.target.url, seconds).body(f"{seconds} s")
        status, answer = self.client.call("POST", "/api/workflows", body)
        assert status == 201, answer
        return str(answer["slug"])

    def ended(self, execution_id: str) -> dict[str, Any]:
        """Return an execution once it has ended."""
        path = f"/api/executions/{execution_id}"
        found: dict[str, Any] = until(
            lambda: self.client.call("GET", path)[1], lambda run: run["completedAt"]
        )
        return found

    def execute(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `kubectl exec deploy/headrace-gateway -- headrace` does."""
        return self.cluster.ready(GATEWAY)[0].execute(*arguments)


def write_environment(folder: Path) -> dict[str, str]:
    """Return the content of the file that `headrace env` writes."""
    path = folder / "made.env"
    done = headrace("env", str(path), environ=dict(os.environ))
    assert done.returncode == 0, done.stderr
    lines = [each for each in path.read_text().splitlines() if each and not each.startswith("#")]
    return dict(each.split("=", 1) for each in lines)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if sentence := missing_for_hosts():
        pytest.skip(sentence)
    for tool in ("kustomize", "valkey-cli"):
        if find_tool(tool) is None:
            pytest.skip(f"there is no {tool} here; `make manifests` installs it")
    folder = tmp_path_factory.mktemp("kubernetes")
    # The server of the tests has a private address.
    environment = write_environment(folder) | {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    manifests = load(build("overlays/single-node", folder, environment))
    with Network() as network, Cluster(network, manifests) as cluster:
        began = time.monotonic()
        cluster.apply()
        cluster.wait_until_ready()
        print(f"\nall pods ready {time.monotonic() - began:.1f} s after they were applied")
        target = CountedTarget(network.address)
        try:
            yield begin(cluster, target)
        finally:
            target.close()


def begin(cluster: Cluster, target: CountedTarget) -> Installation:
    """Make the demonstration, then an account with a key, by commands in a pod."""
    (pod,) = cluster.ready(GATEWAY)
    shown = pod.execute("demo", "--url", "http://127.0.0.1:8000")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "http://localhost:8000" in shown.stdout, "the address of `kubectl port-forward`"
    made = pod.execute(
        *("account", "create", "--email", "ops@example.org", "--tier", "enterprise", "--json"),
        *("--credits", "1000000"),
    )
    assert made.returncode == 0, made.stderr
    account = json.loads(made.stdout)["id"]
    capabilities = ("--capability", "workflow:*", "--capability", "execution:*")
    made = pod.execute("key", "create", "--account", account, *capabilities, "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    return Installation(cluster, Client(cluster.address(GATEWAY), 8000, key), target)


def await_ends(pods: list[Pod]) -> None:
    """Wait until pods have ended, and two seconds more for the callers."""
    for pod in pods:
        pod.wait_for_end(90)
    time.sleep(2)


def check_runs(installation: Installation, answers: Answers) -> None:
    """No call failed, each run ended, and each node was tried once."""
    print(f"\n{answers.statuses} slowest {answers.slowest:.1f} s, failures {answers.failures}")
    assert answers.failures == []
    for execution_id in answers.unfinished:
        assert installation.ended(execution_id)["status"] == "completed"
    counts = installation.target.counts
    assert {name: counts[name] for name in answers.names if counts[name] != 1} == {}


def check_ends(pods: list[Pod]) -> None:
    """Each process ended by itself, with 0 and within its grace period."""
    for pod in pods:
        grace = pod.workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        pod.wait_for_end(grace + 10)
        (end,) = pod.state.ends
        print(f"{pod.name} ended after {end.seconds:.1f} s of {grace} with {end.code}")
        assert (end.code, end.was_killed) == (0, False)
        assert end.seconds < grace
        assert (pod.state.restarts, pod.state.liveness_failures) == (0, 0)


def test_everything_starts_at_once_and_is_well(installation: Installation) -> None:
    cluster = installation.cluster
    (job,) = cluster.pods[cluster.job]

    done = installation.execute("doctor", "--json")

    states = {check["name"]: check["state"] for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout
    assert (states["workers"], states["media"], states["history"]) == ("ok", "ok", "ok")
    assert job.state.has_succeeded
    ours = [pod for name in (GATEWAY, WORKER) for pod in cluster.pods[name]]
    # They wait for the store and its marker instead of ending.
    assert [pod.state.restarts for pod in ours] == [0, 0, 0]
    assert installation.execute("health", "gateway").returncode == 0
    assert cluster.ready(WORKER)[0].execute("health", "worker").returncode == 0


def test_pods_that_no_policy_connects_do_not_reach_each_other(installation: Installation) -> None:
    cluster = installation.cluster
    connects = (
        "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()"
    )

    def reaches(source: str, target: str, port: int) -> bool:
        argv = [sys.executable, "-c", connects, cluster.ready(target)[0].host.address, str(port)]
        host = cluster.ready(source)[0].host
        return host.run(argv, env={"PATH": os.defpath}).returncode == 0

    assert reaches(GATEWAY, "valkey", 6379)
    assert reaches(WORKER, "postgres", 5432)
    assert not reaches(GATEWAY, WORKER, 8001)
    assert not reaches("valkey", "postgres", 5432)
    assert not reaches("seaweedfs", "valkey", 6379)


def test_a_backup_is_made_by_forwarded_ports(installation: Installation, tmp_path: Path) -> None:
    """`kubectl port-forward` leads to a pod of a Service, as an address does here."""
    cluster = installation.cluster
    environ = cluster.ready(GATEWAY)[0].environ
    addresses = {name: cluster.ready(name)[0].host.address for name in ("valkey", "postgres")}
    urls = {
        "HEADRACE_REDIS_URL": environ["HEADRACE_REDIS_URL"],
        "HEADRACE_DATABASE_URL": environ["HEADRACE_DATABASE_URL"],
    }
    for name, address in addresses.items():
        urls = {key: url.replace(f"@{name}:", f"@{address}:") for key, url in urls.items()}
    keys = {"HEADRACE_SECRET_KEY": environ["HEADRACE_SECRET_KEY"], "PATH": os.environ["PATH"]}

    done = headrace("backup", str(tmp_path / "headrace.zip"), environ={**urls, **keys})

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "headrace.zip").stat().st_size > 1_000


def test_a_container_writes_nowhere_but_in_its_volumes(installation: Installation) -> None:
    for pod in (*installation.cluster.ready(GATEWAY), *installation.cluster.ready(WORKER)):
        (pid,) = [pod.process.pid] if pod.process else []
        status = Path(f"/proc/{pid}/status").read_text()
        found = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
        assert found["Uid"].split() == ["65532"] * 4
        assert (int(found["CapEff"], 16), int(found["CapBnd"], 16)) == (0, 0)
        assert found["NoNewPrivs"] == "1"
        options = {
            line.split()[4]: line.split()[5].split(",")
            for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        }
        assert "ro" in options["/"]
        assert "ro" in options["/usr"]
        assert "rw" in options["/tmp"]


def test_gateways_are_replaced_under_load(installation: Installation) -> None:
    slug = installation.save(0.2)

    with under_load(installation.client, slug, CALLERS) as answers:
        time.sleep(3)
        old = [*installation.cluster.roll(GATEWAY), *installation.cluster.roll(GATEWAY)]
        await_ends(old)

    check_ends(old)
    check_runs(installation, answers)


def test_workers_are_replaced_under_load(installation: Installation) -> None:
    quick, long = installation.save(0.2), installation.save(LONG_SECONDS)
    started = [
        installation.client.call(
            "POST", f"/api/workflows/{long}/run?async=true", {"inputs": {"id": f"long-{number}"}}
        )
        for number in range(20)
    ]
    until(
        lambda: [n for n in range(20) if not installation.target.counts[f"long-{n}"]],
        lambda w: not w,
    )

    with under_load(installation.client, quick, CALLERS) as answers:
        time.sleep(2)
        old = installation.cluster.roll(WORKER)
        await_ends(old)

    check_ends(old)
    check_runs(installation, answers)
    for status, answer in started:
        assert status == 202
        assert installation.ended(answer["executionId"])["status"] == "completed"
    assert [installation.target.counts[f"long-{number}"] for number in range(20)] == [1] * 20


def test_a_node_is_drained_under_load(installation: Installation) -> None:
    """Two gateways and two workers are evicted, as far as the budgets allow it at a time."""
    cluster = installation.cluster
    cluster.scale(GATEWAY, 2)
    cluster.wait_until_ready()
    time.sleep(1)  # until the Service leads to both
    slug = installation.save(0.2)
    old = [*cluster.ready(GATEWAY), *cluster.ready(WORKER)]
    refused = 0

    with under_load(installation.client, slug, CALLERS) as answers:
        time.sleep(2)
        waiting = list(old)
        while waiting:
            evicted = [pod for pod in waiting if cluster.evict(pod)]
            refused += len(waiting) - len(evicted)
            waiting = [pod for pod in waiting if pod not in evicted]
            time.sleep(0.5)
        await_ends(old)

    assert refused, "the budgets let one gateway and one worker go at a time"
    check_ends(old)
    check_runs(installation, answers)
    check_ends(cluster.scale(GATEWAY, 1))


def test_pods_that_hang_are_restarted_by_their_liveness(installation: Installation) -> None:
    cluster = installation.cluster
    worker, gateway = cluster.ready(WORKER)[0], cluster.ready(GATEWAY)[0]
    slug = installation.save(0)
    began = time.monotonic()
    for pod in (worker, gateway):
        assert pod.process is not None
        pod.process.send_signal(signal.SIGSTOP)

    for pod in (worker, gateway):
        until(lambda pod=pod: pod.state.is_ready, lambda is_ready: not is_ready)
    print(f"\nnot ready {time.monotonic() - began:.1f} s after they were stopped")
    for pod in (worker, gateway):
        until(lambda pod=pod: pod.state.restarts and pod.state.is_ready, timeout=90)
    print(f"ready again {time.monotonic() - began:.1f} s after they were stopped")

    for pod in (worker, gateway):
        (end,) = pod.state.ends
        assert (pod.state.restarts, pod.state.liveness_failures) == (1, 1)
        assert end.was_killed
        assert end.seconds < 13
    time.sleep(1)  # until the Service leads to it
    path = f"/api/workflows/{slug}/run"
    assert installation.client.call("POST", path, {"inputs": {"id": "after"}})[0] == 200


def test_pods_without_redis_are_not_ready_and_not_restarted(installation: Installation) -> None:
    cluster = installation.cluster
    ours = [*cluster.ready(GATEWAY), *cluster.ready(WORKER)]
    (valkey,) = cluster.ready("valkey")
    before = [pod.state.restarts for pod in ours]
    slug = installation.save(0)

    began = time.monotonic()
    valkey.host.cut()
    until(lambda: [pod for pod in ours if pod.state.is_ready], lambda ready: not ready)
    print(f"\nnot ready {time.monotonic() - began:.1f} s after Redis was cut off")
    time.sleep(35)  # more than the liveness probes bear
    during = [pod.state.restarts for pod in ours]
    valkey.host.mend()
    mended = time.monotonic()
    until(lambda: [pod for pod in ours if not pod.state.is_ready], lambda waiting: not waiting)
    print(f"ready again {time.monotonic() - mended:.1f} s after it was back")

    assert during == before == [pod.state.restarts for pod in ours]
    until(lambda: cluster.ready("valkey"))
    time.sleep(1)  # until the Service leads to the gateway
    path = f"/api/workflows/{slug}/run"
    assert installation.client.call("POST", path, {"inputs": {"id": "back"}})[0] == 200


def test_a_redis_that_is_killed_comes_back_with_its_data(installation: Installation) -> None:
    cluster = installation.cluster
    (valkey,) = cluster.ready("valkey")
    slug = installation.save(0)
    path = f"/api/workflows/{slug}/run"
    status, answer = installation.client.call("POST", f"{path}?async=true", {"inputs": {"id": "k"}})
    assert status == 202
    ours = [*cluster.ready(GATEWAY), *cluster.ready(WORKER)]
    before = [pod.state.restarts for pod in ours]

    assert valkey.process is not None
    valkey.process.kill()

    until(lambda: valkey.state.restarts == 1 and valkey.state.is_ready)
    until(lambda: all(pod.state.is_ready for pod in ours))
    assert installation.ended(answer["executionId"])["status"] == "completed"
    assert [pod.state.restarts for pod in ours] == before


def test_the_job_is_retried_until_older_processes_have_gone(installation: Installation) -> None:
    """A store of the former schema, and the lease of a process that tells no version."""
    cluster = installation.cluster
    (valkey,) = cluster.ready("valkey")
    seconds = 15

    def send(*words: str) -> str:
        done = valkey.host.run(["valkey-cli", *words], env=valkey.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    send("HSET", keyspace.installation(), "schema", str(FIRST_SCHEMA))
    until_ms = int(send("TIME").split()[0]) * 1_000 + seconds * 1_000
    send("ZADD", process_keys.workers(), str(until_ms), "worker-of-the-former-version")

    job = cluster.start_again(cluster.job)
    until(lambda: job.state.restarts)
    said = job.log.read_text()
    until(lambda: job.state.has_succeeded, timeout=90)

    assert "worker-of-the-former-version" in said
    # The container that initializes, failures, and one success.
    first, *failed, last = job.state.exits
    assert (first, set(failed), last) == (0, {1}, 0)
    assert send("HGET", keyspace.installation(), "schema") == str(SCHEMA)


def test_pods_of_production_start_with_the_urls_of_their_secret(
    installation: Installation, tmp_path: Path
) -> None:
    """On the stores of this installation, which are elsewhere for them."""
    cluster = installation.cluster
    environ = cluster.ready(GATEWAY)[0].environ
    names = ("HEADRACE_REDIS_URL", "HEADRACE_DATABASE_URL", "HEADRACE_MEDIA_URL", "AWS_REGION")
    more = {name: environ[name] for name in (*names, "AWS_ENDPOINT_URL")}
    secrets = {name: environ[name] for name in SECRETS}
    manifests = load(build("overlays/production", tmp_path, secrets | more))
    pods = []
    for part in ("gateway", "worker"):
        host = cluster.network.add_host(f"production-{part}")
        workload = manifests.find("Deployment", f"headrace-{part}")
        pods.append(Pod(manifests, workload, host))

    try:
        for pod in pods:
            pod.start()
        for pod in pods:
            until(lambda pod=pod: pod.state.is_ready)
            pod.delete()
        check_ends(pods)
    finally:
        for pod in pods:
            pod.abandon()


def test_all_pods_end_in_an_orderly_way(installation: Installation) -> None:
    cluster = installation.cluster
    names = (GATEWAY, WORKER, "postgres", "seaweedfs", "valkey")
    for name in names:
        pods = cluster.current(name)
        for pod in pods:
            pod.delete()
        for pod in pods:
            pod.wait_for_end(90)
            end = pod.state.ends[-1]
            print(f"\n{pod.name} ended after {end.seconds:.1f} s with {end.code}", end="")
            assert (end.code, end.was_killed) == (0, False)
