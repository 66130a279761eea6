"""Faults that a trial plants in a watched stack and takes back, each with the alerts it raises."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import redis

from tests.support.acceptance.running_stack import until
from tests.support.acceptance.versions.load import calling
from tests.support.drains.fleet import GATEWAY, WORKER
from tests.support.observability.alerts.parts import (
    archivers,
    bring_back,
    cut_gateway,
    replaced_workers,
    save,
    take_away,
    watch,
)
from tests.support.observability.stack import ObservedStack
from tests.support.redis.stepped_clock import SteppedRedis

Plant = Callable[[ObservedStack], contextlib.AbstractContextManager[None]]
HELD_RUNS = 16
SCHEDULE = "* * * * *"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault, and the alerts that fire by it."""

    name: str
    plant: Plant
    alerts: frozenset[str] = frozenset()
    """All alerts that fire, and no other one does; none: it is nothing for a person to mend."""
    kinds: Sequence[str] = ()
    """Kinds of runs that are called meanwhile, by default all."""
    looks: str = ""
    """Words that the first look of the runbook shows while the fault is there."""


@contextlib.contextmanager
def nothing(_: ObservedStack) -> Iterator[None]:
    """Plant nothing."""
    yield


@contextlib.contextmanager
def killed_worker(stack: ObservedStack) -> Iterator[None]:
    """Kill one worker, and start it again."""
    take_away(stack, stack.workers[0])
    bring_back(stack, WORKER)
    yield


@contextlib.contextmanager
def killed_gateway(stack: ObservedStack) -> Iterator[None]:
    """Kill one gateway, and start it again."""
    member = stack.gateways[0]
    take_away(stack, member)
    bring_back(stack, GATEWAY, member.port)
    yield


@contextlib.contextmanager
def killed_redis(stack: ObservedStack) -> Iterator[None]:
    """Kill Redis, and start it again at once."""
    stack.redis.kill()
    stack.redis.start()
    yield


@contextlib.contextmanager
def killed_archiver(stack: ObservedStack) -> Iterator[None]:
    """Kill the process that archives; another worker's takes over."""
    found = until(lambda: archivers(stack))
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    yield


def stepped_clock(seconds: float) -> Plant:
    """Return the plant of a step of the clock of Redis, which is taken back at the end."""

    @contextlib.contextmanager
    def plant(stack: ObservedStack) -> Iterator[None]:
        assert isinstance(stack.redis, SteppedRedis)
        stack.redis.step(seconds)
        yield
        stack.redis.step(0)

    return plant


@contextlib.contextmanager
def replaced_parts(stack: ObservedStack) -> Iterator[None]:
    """Replace each process by a new one, as an upgrade does."""
    for kind, members in ((GATEWAY, stack.gateways), (WORKER, stack.workers)):
        for member in members:
            bring_back(stack, kind)
            member.process.send_signal(signal.SIGTERM)
            member.process.wait()
            watch(stack)
    yield


@contextlib.contextmanager
def lost_gateway(stack: ObservedStack) -> Iterator[None]:
    """Leave one gateway of two away, as a target that Prometheus cannot reach."""
    take_away(stack, stack.gateways[0])
    yield
    bring_back(stack, GATEWAY)


@contextlib.contextmanager
def lost_worker(stack: ObservedStack) -> Iterator[None]:
    """Leave one worker of two away."""
    take_away(stack, stack.workers[0])
    yield
    bring_back(stack, WORKER)


@contextlib.contextmanager
def lost_gateways(stack: ObservedStack) -> Iterator[None]:
    """Leave all gateways away."""
    members = stack.gateways
    for member in members:
        take_away(stack, member)
    yield
    for member in members:
        bring_back(stack, GATEWAY, member.port)


@contextlib.contextmanager
def lost_redis(stack: ObservedStack) -> Iterator[None]:
    """Leave Redis away."""
    stack.redis.kill()
    yield
    stack.redis.start()


@contextlib.contextmanager
def refused_writes(stack: ObservedStack) -> Iterator[None]:
    """Let Redis refuse writes, since it has no replica."""
    with redis.Redis.from_url(stack.redis.url) as client:
        client.config_set("min-replicas-to-write", 1)
        yield
        client.config_set("min-replicas-to-write", 0)


@contextlib.contextmanager
def full_redis(stack: ObservedStack) -> Iterator[None]:
    """Give Redis hardly more memory than it uses."""
    with redis.Redis.from_url(stack.redis.url) as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", int(used / 0.97))
        yield
        client.config_set("maxmemory", 0)


@contextlib.contextmanager
def lost_workers(stack: ObservedStack) -> Iterator[None]:
    """Leave all workers away."""
    members = stack.workers
    for member in members:
        take_away(stack, member)
    yield
    for _ in members:
        bring_back(stack, WORKER)


@contextlib.contextmanager
def still_workers(stack: ObservedStack) -> Iterator[None]:
    """Let all workers stand still."""
    members = stack.workers
    for member in members:
        member.process.send_signal(signal.SIGSTOP)
    yield
    for member in members:
        member.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def cut_off_gateway(stack: ObservedStack) -> Iterator[None]:
    """Cut one gateway of two off from Redis."""
    take_away(stack, stack.gateways[0])
    with cut_gateway(stack) as cut:
        cut()
        yield
    bring_back(stack, GATEWAY)


@contextlib.contextmanager
def taken_slots(stack: ObservedStack) -> Iterator[None]:
    """Let runs wait, since calls that take long hold all slots of few workers."""
    slug = save(stack, "held", calling(f"{stack.target.url}/slow/15"))
    with replaced_workers(stack, HEADRACE_WORKER_SLOTS="2"):
        for number in range(HELD_RUNS):
            path = f"/api/workflows/{slug}/run?async=true"
            stack.ask("POST", path, {"inputs": {"id": f"held-{number}"}})
        yield


@contextlib.contextmanager
def lost_media(stack: ObservedStack) -> Iterator[None]:
    """Put a file in the place of the folder for media."""
    folder = stack.fleet.folder / "media"
    away = folder.with_name("media.away")
    folder.rename(away)
    folder.write_text("no folder")
    yield
    folder.unlink()
    away.rename(folder)


def failing_provider(script: str) -> Plant:
    """Return the plant of a fault of a model's provider."""

    @contextlib.contextmanager
    def plant(stack: ObservedStack) -> Iterator[None]:
        stack.providers["shaky"].fault = script
        yield
        stack.providers["shaky"].fault = ""

    return plant


@contextlib.contextmanager
def lost_history(stack: ObservedStack) -> Iterator[None]:
    """Let nobody write to the database of the history."""
    stack.history.take_away()
    yield
    stack.history.give_back()


def other_receiver(path: str) -> Plant:
    """Return the plant of a receiver of webhooks with other answers."""

    @contextlib.contextmanager
    def plant(stack: ObservedStack) -> Iterator[None]:
        assert stack.traffic is not None
        before = stack.traffic.receiver_url
        stack.traffic.receiver_url = stack.receiver.url + path
        stack.receiver.is_quick = False
        yield
        stack.traffic.receiver_url = before
        stack.receiver.is_quick = True

    return plant


@contextlib.contextmanager
def missed_times(stack: ObservedStack) -> Iterator[None]:
    """Leave all workers away while a due time of a schedule passes."""
    assert stack.traffic is not None
    slug = stack.traffic.slugs["greet"]
    schedule = {"kind": "schedule", "cron": SCHEDULE, "missed": "skip", "workflowSlug": slug}
    _, made = stack.ask("POST", "/api/triggers", {"name": "m", "inputs": {"who": "A"}, **schedule})
    time.sleep(max(0.0, 50 - time.time() % 60))
    with lost_workers(stack):
        time.sleep(130 - time.time() % 60)
    yield
    stack.ask("DELETE", f"/api/triggers/{made['id']}")


def alerts(*names: str) -> frozenset[str]:
    """Return names of alerts."""
    return frozenset(f"Headrace{name}" for name in names)


FAULTS = (
    Fault(name="nothing", plant=nothing),
    Fault(name="a worker is killed and started again", plant=killed_worker),
    Fault(name="a gateway is killed and started again", plant=killed_gateway),
    Fault(name="Redis is killed and started again", plant=killed_redis),
    Fault(name="the archiver is killed", plant=killed_archiver),
    Fault(name="the clock of Redis goes 30 s ahead", plant=stepped_clock(30)),
    Fault(name="the clock of Redis goes 30 s back", plant=stepped_clock(-30)),
    Fault(name="each process is replaced", plant=replaced_parts),
    Fault(name="one gateway of two stays away", plant=lost_gateway),
    Fault(name="one worker of two stays away", plant=lost_worker),
    Fault(name="a receiver fails each delivery", plant=other_receiver("/status/500")),
    Fault(
        name="all runs fail by their own fault",
        plant=nothing,
        kinds=("fail", "refused"),
    ),
    Fault(
        name="all gateways stay away",
        plant=lost_gateways,
        alerts=alerts("Down"),
    ),
    Fault(
        name="Redis stays away",
        plant=lost_redis,
        alerts=alerts("Down"),
        looks="WRONG  redis:",
    ),
    Fault(
        name="Redis refuses writes",
        plant=refused_writes,
        alerts=alerts("Down"),
    ),
    Fault(
        name="all workers stay away",
        plant=lost_workers,
        alerts=alerts("NoWorkers"),
        looks="workers: 0 alive",
    ),
    Fault(
        name="all workers stand still",
        plant=still_workers,
        alerts=alerts("NoWorkers"),
        looks="workers: 0 alive",
    ),
    Fault(
        name="a gateway is cut off from Redis",
        plant=cut_off_gateway,
        alerts=alerts("Errors"),
    ),
    Fault(
        name="Redis is full",
        plant=full_redis,
        alerts=alerts("RedisFull"),
        looks="WRONG  memory:",
    ),
    Fault(
        name="long calls take all slots",
        plant=taken_slots,
        alerts=alerts("RunsWait"),
        kinds=("refused",),
    ),
    Fault(
        name="the place for media is gone",
        plant=lost_media,
        alerts=alerts("RunsFail"),
        kinds=("large",),
        looks='"nodeCode":"storage_error"',
    ),
    Fault(
        name="a provider fails",
        plant=failing_provider("fail=500"),
        alerts=alerts("ProviderFails"),
        looks='"nodeCode":"PROVIDER_UNAVAILABLE"',
    ),
    Fault(
        name="a provider throttles",
        plant=failing_provider("fail=429"),
        alerts=alerts("ProviderFails"),
    ),
    Fault(
        name="a provider refuses the key",
        plant=failing_provider("fail=401"),
        alerts=alerts("ProviderFails"),
    ),
    Fault(
        name="the database of the history is away",
        plant=lost_history,
        alerts=alerts("HistoryBehind"),
    ),
    Fault(
        name="no worker runs at a schedule's due time",
        plant=missed_times,
        alerts=alerts("NoWorkers", "DueTimesLate"),
    ),
    # The last one, since its deliveries go on for a while.
    Fault(
        name="receivers are slow",
        plant=other_receiver("/slow/14"),
        alerts=alerts("WebhooksLate"),
        kinds=("webhook", "delay"),
    ),
)
