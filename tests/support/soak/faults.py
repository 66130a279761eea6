"""Faults that the monkey draws: each harms one part for a while, and mends it."""

import asyncio
import contextlib
import os
import random
import resource
import signal

from tests.support.acceptance.footprint import descendants
from tests.support.acceptance.versions.processes import GATEWAY, WORKER
from tests.support.acceptance.versions.releases import THIS_RELEASE
from tests.support.eventually import eventually
from tests.support.redis.processes import wait_until
from tests.support.soak.monkey import Fault, Monkey

ARCHIVERS = ("headrace archiver", "workers.history.main")


# -- processes ------------------------------------------------------------------------------------


async def kill_worker(monkey: Monkey, draw: random.Random) -> None:
    await monkey.kill(draw.choice(monkey.members(WORKER)))


async def kill_gateway(monkey: Monkey, draw: random.Random) -> None:
    await monkey.kill(draw.choice(monkey.members(GATEWAY)))


async def kill_both(monkey: Monkey, draw: random.Random) -> None:
    """Kill a worker and a gateway in one moment."""
    members = [draw.choice(monkey.members(kind)) for kind in (WORKER, GATEWAY)]
    await asyncio.gather(*(monkey.kill(each) for each in members))


async def kill_archiver(monkey: Monkey, draw: random.Random) -> None:
    """Kill the process that archives, of any worker."""
    del draw
    for member in monkey.members(WORKER, with_veterans=True):
        for pid, name in descendants(member.pid):
            if any(word in name for word in ARCHIVERS):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


async def kill_lead(monkey: Monkey, draw: random.Random) -> None:
    """Kill the worker that leads. A veteran that leads is stopped until another does."""
    del draw
    veterans = {each.pid for each in monkey.veterans}
    if (pid := await monkey.lead()) in veterans:
        os.kill(pid, signal.SIGSTOP)
        try:
            await eventually(monkey.lead, lambda found: found not in (0, pid), pause=0.2)
        finally:
            os.kill(pid, signal.SIGCONT)
    pid = await monkey.lead()
    for member in monkey.members(WORKER):
        if member.pid == pid:
            await monkey.kill(member)


async def stop_process(monkey: Monkey, draw: random.Random) -> None:
    """Stop a process for a while, veterans too; it goes on as if nothing had been."""
    kind = draw.choice([WORKER, WORKER, GATEWAY])
    member = draw.choice(monkey.members(kind, with_veterans=True))
    os.kill(member.pid, signal.SIGSTOP)
    await asyncio.sleep(draw.uniform(1, 9))
    os.kill(member.pid, signal.SIGCONT)


async def replace(monkey: Monkey, draw: random.Random) -> None:
    """Start a process and end another in order, as a deployment does."""
    old = draw.choice(monkey.members(draw.choice([WORKER, GATEWAY])))
    new = monkey.fleet.add(THIS_RELEASE, old.kind, **old.environ)
    await asyncio.to_thread(new.wait_ready)
    await asyncio.to_thread(monkey.fleet.remove, old)


# -- Redis ----------------------------------------------------------------------------------------


async def restart_redis(monkey: Monkey, draw: random.Random) -> None:
    """Kill the primary and start it at once, with its data."""
    del draw
    async with monkey.harmed() as primary:
        primary.kill()
        await asyncio.to_thread(primary.start)


async def stall_redis(monkey: Monkey, draw: random.Random) -> None:
    """Stop the primary for less than the sentinels allow."""
    async with monkey.harmed() as primary:
        primary.pause()
        await asyncio.sleep(draw.uniform(0.2, 2))
        primary.resume()


async def fail_over_by_kill(monkey: Monkey, draw: random.Random) -> None:
    await monkey.fail_over(lambda primary: primary.kill(), draw.uniform(0, 2))


async def fail_over_by_stop(monkey: Monkey, draw: random.Random) -> None:
    """Stop the primary until another has its place; then it goes on, and answers who asks it."""
    await monkey.fail_over(lambda primary: primary.pause(), draw.uniform(0, 4))


async def isolate_primary(monkey: Monkey, draw: random.Random) -> None:
    """Cut the primary off from replicas and sentinels, while clients reach it."""
    harm = monkey.group.front
    await monkey.fail_over(lambda primary: harm(primary).isolate(), draw.uniform(0, 4))


async def cut_redis(monkey: Monkey, draw: random.Random) -> None:
    """Close all connections to the primary, and refuse new ones for a moment."""
    async with monkey.harmed() as primary:
        monkey.group.front(primary).cut()
        await asyncio.sleep(draw.uniform(0, 0.6))
        monkey.group.front(primary).mend()


async def delay_redis(monkey: Monkey, draw: random.Random) -> None:
    """Let each piece of data to and from the primary take up to 80 ms."""
    async with monkey.harmed() as primary:
        front = monkey.group.front(primary)
        front.delay = draw.uniform(0.005, 0.08)
        await asyncio.sleep(draw.uniform(2, 8))
        front.delay = 0.0


async def lose_packets(monkey: Monkey, draw: random.Random) -> None:
    """Let some pieces of data be late by the time of a retransmission."""
    async with monkey.harmed() as primary:
        front = monkey.group.front(primary)
        front.loss = draw.uniform(0.02, 0.2)
        await asyncio.sleep(draw.uniform(2, 8))
        front.loss = 0.0


async def lose_replies(monkey: Monkey, draw: random.Random) -> None:
    """Drop replies of the primary, each with its connection."""
    async with monkey.harmed() as primary:
        front = monkey.group.front(primary)
        front.replies_to_lose = draw.randint(1, 40)
        await asyncio.sleep(draw.uniform(0.5, 2))
        front.replies_to_lose = 0


async def fill_memory(monkey: Monkey, draw: random.Random) -> None:
    """Let the primary have no memory for writes that need some."""
    async with monkey.harmed() as primary:
        await asyncio.to_thread(primary.command, "CONFIG", "SET", "maxmemory", 1)
        await asyncio.sleep(draw.uniform(1, 6))
        await asyncio.to_thread(primary.command, "CONFIG", "SET", "maxmemory", 0)


async def fill_disk(monkey: Monkey, draw: random.Random) -> None:
    """Let no file of the primary grow."""
    async with monkey.harmed() as primary:
        assert primary.process is not None
        limits = resource.prlimit(primary.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(primary.process.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
        await asyncio.sleep(draw.uniform(1, 6))
        resource.prlimit(primary.process.pid, resource.RLIMIT_FSIZE, limits)
        await asyncio.to_thread(
            wait_until,
            lambda: primary.info("persistence")["aof_last_write_status"] == "ok",
            "a disk that takes writes",
        )


async def kill_sentinel(monkey: Monkey, draw: random.Random) -> None:
    sentinel = draw.choice(monkey.group.sentinels)
    sentinel.kill()
    await asyncio.sleep(draw.uniform(0, 3))
    await asyncio.to_thread(monkey.group.restart, sentinel)


async def kill_replica(monkey: Monkey, draw: random.Random) -> None:
    replica = draw.choice(await asyncio.to_thread(monkey.group.replicas))
    replica.kill()
    await asyncio.sleep(draw.uniform(0, 3))
    await asyncio.to_thread(monkey.group.restart, replica)


# -- clocks, history, releases --------------------------------------------------------------------


async def step_clock(monkey: Monkey, draw: random.Random) -> None:
    """Step the clock of Redis forth or back, and again to the right time."""
    monkey.redis_clock.step(draw.choice([-30, -4, -1, 1, 4, 30]))
    await asyncio.sleep(draw.uniform(2, 12))
    monkey.redis_clock.step(0)


async def step_part_clock(monkey: Monkey, draw: random.Random) -> None:
    """Step the clock of a gateway and a worker, minutes away from that of Redis."""
    monkey.part_clock.step(draw.choice([-600, -60, -5, 5, 60, 600]))
    await asyncio.sleep(draw.uniform(2, 12))
    monkey.part_clock.step(0)


async def take_database(monkey: Monkey, draw: random.Random) -> None:
    """Let the database of the history crash, and be away for a while."""
    await asyncio.to_thread(monkey.database.take_away)
    await asyncio.sleep(draw.uniform(1, 12))
    await asyncio.to_thread(monkey.database.give_back)


async def join_previous(monkey: Monkey, draw: random.Random) -> None:
    """Let a gateway and a worker of the previous release work beside these, and end somehow."""
    if monkey.previous is None:
        return
    joined = [monkey.fleet.add(monkey.previous, kind) for kind in (GATEWAY, WORKER)]
    for member in joined:
        await asyncio.to_thread(member.wait_ready)
    await asyncio.sleep(draw.uniform(5, 15))
    for member in joined:
        number = draw.choice([signal.SIGTERM, signal.SIGKILL])
        await asyncio.to_thread(monkey.fleet.remove, member, number)


async def fail_receivers(monkey: Monkey, draw: random.Random) -> None:
    """Let receivers of webhooks answer 503 for a while."""
    monkey.receiver.is_failing = True
    await asyncio.sleep(draw.uniform(1, 8))
    monkey.receiver.is_failing = False


PREVIOUS = "the previous release works beside this one"
FAULTS: dict[str, Fault] = {
    "a worker is killed": kill_worker,
    "a gateway is killed": kill_gateway,
    "a worker and a gateway are killed": kill_both,
    "the leading worker is killed": kill_lead,
    "the archiver is killed": kill_archiver,
    "a process is stopped for a while": stop_process,
    "a process is replaced": replace,
    "Redis is killed and starts again": restart_redis,
    "Redis stalls": stall_redis,
    "a failover after a kill": fail_over_by_kill,
    "a failover after a stop": fail_over_by_stop,
    "a failover of an isolated primary": isolate_primary,
    "connections to Redis are cut": cut_redis,
    "Redis is slow": delay_redis,
    "packets are lost": lose_packets,
    "replies are lost": lose_replies,
    "the memory of Redis is full": fill_memory,
    "the disk of Redis is full": fill_disk,
    "a sentinel is killed": kill_sentinel,
    "a replica is killed": kill_replica,
    "the clock of Redis steps": step_clock,
    "the clocks of a gateway and a worker step": step_part_clock,
    "the database is away": take_database,
    "receivers of webhooks fail": fail_receivers,
    PREVIOUS: join_previous,
}
"""Faults by their names."""
