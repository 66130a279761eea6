"""A bench for the hint broker: a real Dramatiq worker over a real Redis."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dramatiq
import redis

from engine import keyspace
from engine.queue import HintBroker, Slots
from engine.store.hints import make_hint

KEY = keyspace.hints("walk")


@dataclass
class Bench:
    """A broker, its worker, and what the actor was given."""

    broker: HintBroker
    slots: Slots
    worker: dramatiq.Worker
    client: "redis.Redis"
    taken: list[str] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Event = field(default_factory=threading.Event)

    def send(self, *arguments: str) -> None:
        self.client.rpush(KEY, *(make_hint("walk", argument) for argument in arguments))

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.arrived.acquire(timeout=5), f"only {self.taken} arrived"

    def stop(self) -> float:
        """Stop as a worker process does; returns the seconds it took."""
        started = time.monotonic()
        stopping = threading.Thread(target=self.worker.stop, args=(1_000,))
        stopping.start()
        while stopping.is_alive():
            self.broker.unblock()
            stopping.join(0.05)
        return time.monotonic() - started


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not reached"
        time.sleep(0.005)


Open = Callable[..., Bench]


@contextmanager
def benches() -> Iterator[Open]:
    """Opens benches; the actor waits at the gate, which is open at first."""
    opened: list[Bench] = []

    def open_bench(url: str, slots: int = 100, client_url: str = "") -> Bench:
        free = Slots(slots)
        broker = HintBroker(url, free)
        broker.declare_queue("bulk")
        worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
        client = redis.Redis.from_url(client_url or url)
        bench = Bench(broker, free, worker, client)
        bench.gate.set()

        def walk(reference: str) -> None:
            bench.taken.append(reference)
            bench.arrived.release()
            bench.gate.wait(10)

        dramatiq.actor(broker=broker, actor_name="walk", queue_name="walk")(walk)
        worker.start()
        opened.append(bench)
        return bench

    yield open_bench
    for bench in opened:
        bench.gate.set()
        bench.slots.release()  # one that waits for a slot would stop a second later
        bench.stop()
        bench.broker.close()
        bench.client.close()
