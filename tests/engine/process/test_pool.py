"""The pool on real processes: answers, deadlines and kills."""

import asyncio
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.process import pool as process_pool
from engine.process.pool import AccountRunner, Pool, PoolCrashed, PoolTimeout
from engine.process.pool_child import NICENESS
from tests.support.eventually import PATIENCE_SECONDS, eventually

MEGABYTE = 1024 * 1024


def echo(value: Any) -> Any:
    return value


def fail_with_node_failed() -> None:
    raise NodeFailed("no_such_key", "No such key: name", retryable=True)


class TakesMore(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} {second}")
        self.second = second


def fail_with_takes_more() -> None:
    raise TakesMore(1, 2)


def fail_with_unicode_error() -> None:
    b"\xff".decode()


def exit_with_status() -> None:
    os._exit(9)


def leave_politely() -> None:
    sys.exit(0)


def give_a_lambda() -> Any:
    return lambda: None


def block_in_c(seconds: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.PyDLL(None).sleep(seconds)


def note_pid_and_block(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    block_in_c(60)


def wait_for_others(folder: Path, count: int) -> int:
    """Return how many calls run together, once there are `count` of them."""
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < count:
        time.sleep(0.005)
    return count


def fill_memory(size: int) -> int:
    return len(bytearray(size))


def read_pid() -> int:
    return os.getpid()


def read_open_files() -> list[str]:
    return sorted(str(entry.resolve()) for entry in Path("/proc/self/fd").iterdir())


def read_sigint_handler() -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in listed.stdout.split() if is_running(int(word))]


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(slots=2, memory_bytes=512 * MEGABYTE, preload=[__name__])
    await pool.start()
    yield pool
    await pool.close()


async def test_a_value_goes_there_and_back(pool: Pool) -> None:
    value = {"text": "grüße", "numbers": [1, 2.5, None, True]}

    assert await pool.run(echo, value, deadline_seconds=PATIENCE_SECONDS) == value


async def test_the_exception_of_the_function_comes_back_as_it_is(pool: Pool) -> None:
    with pytest.raises(NodeFailed, match="No such key: name") as caught:
        await pool.run(fail_with_node_failed, deadline_seconds=PATIENCE_SECONDS)

    assert (caught.value.code, caught.value.retryable) == ("no_such_key", True)


async def test_an_exception_with_an_init_of_its_own_comes_back_whole(pool: Pool) -> None:
    with pytest.raises(TakesMore, match="1 2") as caught:
        await pool.run(fail_with_takes_more, deadline_seconds=PATIENCE_SECONDS)

    assert caught.value.second == 2


async def test_an_exception_of_the_interpreter_comes_back_whole(pool: Pool) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        await pool.run(fail_with_unicode_error, deadline_seconds=PATIENCE_SECONDS)

    assert caught.value.object == b"\xff"


async def test_an_answer_that_cannot_be_sent_is_an_error_of_the_call(pool: Pool) -> None:
    with pytest.raises(Exception, match="pickle|local object"):
        await pool.run(give_a_lambda, deadline_seconds=PATIENCE_SECONDS)

    assert await pool.run(echo, 1, deadline_seconds=PATIENCE_SECONDS) == 1


async def test_a_child_blocked_in_c_with_the_lock_held_is_gone_at_its_deadline(
    pool: Pool, tmp_path: Path
) -> None:
    path = tmp_path / "pid"
    started = time.monotonic()

    with pytest.raises(PoolTimeout):
        await pool.run(note_pid_and_block, str(path), deadline_seconds=0.3)

    assert time.monotonic() - started < 30
    await eventually(lambda: _value(is_running(int(path.read_text()))), lambda value: not value)


async def test_calls_with_a_slot_are_busy(pool: Pool) -> None:
    running = asyncio.create_task(pool.run(time.sleep, 0.5, deadline_seconds=20))
    await eventually(_busy(pool), lambda busy: busy == 1)
    await running

    assert (pool.busy, pool.limit) == (0, 2 * pool._slots)


def _busy(pool: Pool) -> Callable[[], Awaitable[int]]:
    async def read() -> int:
        return pool.busy

    return read


async def test_a_slot_is_usable_at_once_after_a_kill(pool: Pool) -> None:
    """A warm child is there to spare: nobody waits for the successor of the killed one."""
    zygote = await pool.run(os.getppid, deadline_seconds=PATIENCE_SECONDS)
    warm = set(children_of(zygote))

    with pytest.raises(PoolTimeout):
        await pool.run(block_in_c, 60, deadline_seconds=0.1)
    pids = await asyncio.gather(
        *(pool.run(read_pid, deadline_seconds=PATIENCE_SECONDS) for _ in range(2))
    )

    assert len(warm) == 3
    assert set(pids) < warm


async def test_every_slot_comes_back_after_more_kills_than_there_are_children(
    pool: Pool, tmp_path: Path
) -> None:
    for _ in range(3):
        blocked = [pool.run(block_in_c, 60, deadline_seconds=0.1) for _ in range(2)]
        outcomes = await asyncio.gather(*blocked, return_exceptions=True)
        assert all(isinstance(outcome, PoolTimeout) for outcome in outcomes)

    calls = [
        pool.run(wait_for_others, tmp_path, 2, deadline_seconds=PATIENCE_SECONDS) for _ in range(2)
    ]
    assert await asyncio.gather(*calls) == [2, 2]


@pytest.mark.parametrize("leave", [exit_with_status, leave_politely])
async def test_a_child_that_exits_is_reported_at_once(pool: Pool, leave: Any) -> None:
    started = time.monotonic()

    with pytest.raises(PoolCrashed):
        await pool.run(leave, deadline_seconds=PATIENCE_SECONDS)

    assert time.monotonic() - started < 40
    assert await pool.run(echo, "alive", deadline_seconds=PATIENCE_SECONDS) == "alive"


@pytest.mark.F34
async def test_memory_over_the_limit_fails_the_call_and_not_the_pool(pool: Pool) -> None:
    with pytest.raises((MemoryError, PoolCrashed)):
        await pool.run(fill_memory, 1024 * MEGABYTE, deadline_seconds=PATIENCE_SECONDS)

    assert await pool.run(fill_memory, MEGABYTE, deadline_seconds=PATIENCE_SECONDS) == MEGABYTE


@pytest.mark.F34
async def test_a_child_that_has_run_out_of_memory_is_replaced(pool: Pool) -> None:
    pid = await pool.run(read_pid, deadline_seconds=PATIENCE_SECONDS)

    with pytest.raises((MemoryError, PoolCrashed)):
        await pool.run(fill_memory, 1024 * MEGABYTE, deadline_seconds=PATIENCE_SECONDS)

    assert await pool.run(read_pid, deadline_seconds=PATIENCE_SECONDS) != pid
    await eventually(lambda: _value(is_running(pid)), lambda value: not value)


async def test_an_idle_child_that_was_killed_does_not_cost_a_call(pool: Pool) -> None:
    pid = await pool.run(read_pid, deadline_seconds=PATIENCE_SECONDS)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: _value(is_running(pid)), lambda value: not value)

    assert await pool.run(read_pid, deadline_seconds=PATIENCE_SECONDS) != pid


async def test_payloads_of_megabytes_do_not_block_the_loop(pool: Pool) -> None:
    payload = os.urandom(5 * MEGABYTE)
    call = asyncio.create_task(pool.run(echo, payload, deadline_seconds=PATIENCE_SECONDS))
    turns = 0
    while not call.done():
        await asyncio.sleep(0)
        turns += 1

    assert await call == payload
    assert turns > 10


async def test_a_cancelled_call_kills_its_work_and_frees_the_slot(
    pool: Pool, tmp_path: Path
) -> None:
    path, folder = tmp_path / "pid", tmp_path / "both"
    folder.mkdir()
    call = asyncio.create_task(pool.run(note_pid_and_block, str(path), deadline_seconds=60))
    await eventually(lambda: _value(path.exists() and path.read_text()))

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await eventually(lambda: _value(is_running(int(path.read_text()))), lambda value: not value)
    calls = [
        pool.run(wait_for_others, folder, 2, deadline_seconds=PATIENCE_SECONDS) for _ in range(2)
    ]
    assert await asyncio.gather(*calls) == [2, 2]


async def test_a_call_waits_for_a_free_slot(pool: Pool) -> None:
    calls = [pool.run(echo, number, deadline_seconds=PATIENCE_SECONDS) for number in range(50)]

    assert await asyncio.gather(*calls) == list(range(50))


async def test_children_ignore_the_interrupt_of_a_terminal(pool: Pool) -> None:
    assert await pool.run(read_sigint_handler, deadline_seconds=PATIENCE_SECONDS)


async def test_children_give_way_to_all_that_answers_callers(pool: Pool) -> None:
    assert await pool.run(
        os.getpriority, os.PRIO_PROCESS, 0, deadline_seconds=PATIENCE_SECONDS
    ) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)


async def test_children_inherit_no_open_files_but_their_channel(pool: Pool) -> None:
    held = os.open("/proc/self/status", os.O_RDONLY)
    os.set_inheritable(held, True)

    files = await pool.run(read_open_files, deadline_seconds=PATIENCE_SECONDS)

    os.close(held)
    assert len([name for name in files if "socket:" in name]) <= 1
    assert not [name for name in files if name.endswith("/status")]


async def test_the_first_call_starts_the_children() -> None:
    before = set(children_of(os.getpid()))
    pool = Pool(slots=1)
    assert set(children_of(os.getpid())) == before

    parents = await asyncio.gather(
        *(pool.run(os.getppid, deadline_seconds=PATIENCE_SECONDS) for _ in range(3))
    )

    (zygote,) = set(children_of(os.getpid())) - before
    assert set(parents) == {zygote}
    assert len(children_of(zygote)) == 2
    await pool.close()


async def test_a_start_that_was_cut_short_is_completed() -> None:
    before = set(children_of(os.getpid()))
    pool = Pool(slots=1)
    for _ in range(3):
        first = asyncio.create_task(pool.run(echo, 1, deadline_seconds=PATIENCE_SECONDS))
        await asyncio.sleep(0)
        first.cancel()

    assert await pool.run(echo, 2, deadline_seconds=PATIENCE_SECONDS) == 2

    (zygote,) = set(children_of(os.getpid())) - before
    await eventually(lambda: _value(len(children_of(zygote))), lambda count: count == 2)
    await pool.close()


async def test_close_leaves_no_process_and_ends_running_calls() -> None:
    before = set(children_of(os.getpid()))
    pool = Pool(slots=2)
    await pool.start()
    (zygote,) = set(children_of(os.getpid())) - before
    pids = [zygote, *children_of(zygote)]
    call = asyncio.create_task(pool.run(block_in_c, 60, deadline_seconds=60))
    await asyncio.sleep(0)

    await pool.close()

    with pytest.raises(PoolCrashed):
        await call
    assert len(pids) == 4
    await eventually(lambda: _value(any(map(is_running, pids))), lambda value: not value)


async def test_a_closed_pool_refuses_work() -> None:
    pool = Pool(slots=1)
    await pool.start()
    await pool.close()

    with pytest.raises(PoolCrashed):
        await pool.run(echo, 1, deadline_seconds=PATIENCE_SECONDS)


@pytest.mark.F61
async def test_a_killed_zygote_is_started_again() -> None:
    before = set(children_of(os.getpid()))
    pool = Pool(slots=1)
    await pool.start()
    (zygote,) = set(children_of(os.getpid())) - before
    os.kill(zygote, signal.SIGKILL)
    await eventually(lambda: _value(is_running(zygote)), lambda value: not value)

    async def answer() -> str:
        try:
            return await pool.run(echo, "alive", deadline_seconds=PATIENCE_SECONDS)
        except PoolCrashed:
            return "a child that was not done when its zygote died"

    await eventually(answer, lambda value: value == "alive")
    await pool.close()


def zygote_of(before: set[int]) -> int:
    (zygote,) = set(children_of(os.getpid())) - before
    return zygote


@pytest.mark.F61
async def test_a_dead_zygote_is_reaped_and_replaced_before_the_next_call() -> None:
    before = set(children_of(os.getpid()))
    pool = Pool(slots=1)
    await pool.start()
    zygote = zygote_of(before)

    os.kill(zygote, signal.SIGKILL)

    await eventually(lambda: _value(not Path(f"/proc/{zygote}").exists()))  # no zombie
    await eventually(lambda: _value(set(children_of(os.getpid())) - before))
    other = zygote_of(before)
    await eventually(lambda: _value(len(children_of(other))), lambda count: count == 2)
    assert await pool.run(echo, "alive", deadline_seconds=PATIENCE_SECONDS) == "alive"
    await pool.close()


@pytest.mark.F61
async def test_a_hung_zygote_is_replaced_and_its_children_work_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_pool, "FORK_SECONDS", 0.3)
    before = set(children_of(os.getpid()))
    pool = Pool(slots=2)
    await pool.start()
    zygote = zygote_of(before)
    os.kill(zygote, signal.SIGSTOP)
    long_call = asyncio.create_task(pool.run(time.sleep, 60, deadline_seconds=60))
    await asyncio.sleep(0.1)

    calls = [pool.run(exit_with_status, deadline_seconds=PATIENCE_SECONDS) for _ in range(3)]
    crashed = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(each, PoolCrashed) for each in crashed)
    assert await pool.run(echo, "alive", deadline_seconds=30) == "alive"
    assert is_running(zygote) and not long_call.done()
    long_call.cancel()
    await eventually(lambda: _value(not Path(f"/proc/{zygote}").exists()))
    await pool.close()


@pytest.mark.A91a
async def test_long_calls_of_an_account_keep_no_other_from_its_turn(pool: Pool) -> None:
    async def call(account: str, seconds: float) -> float:
        await pool.run(time.sleep, seconds, deadline_seconds=60, account_id=account)
        return time.monotonic()

    long_calls = [asyncio.create_task(call("a", 1.0)) for _ in range(8)]
    await asyncio.sleep(0.1)

    others = [await call("b", 0.0) for _ in range(5)]

    first_ends = await asyncio.gather(*long_calls)
    assert max(others) < sorted(first_ends)[2]  # before the third, which began after a first end
    assert len(pool._children) == 3  # as many as before


PARENT = """
import asyncio, sys
from tests.engine.process.test_pool import note_pid_and_block
from engine.process.pool import Pool

async def main():
    pool = Pool(slots=1)
    await pool.start()
    await pool.run(note_pid_and_block, sys.argv[1], deadline_seconds=60)

asyncio.run(main())
"""


async def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)])
    await eventually(lambda: _value(path.exists() and path.read_text()))
    (zygote,) = children_of(parent.pid)
    pids = [zygote, *children_of(zygote)]

    parent.kill()
    parent.wait()

    assert int(path.read_text()) in pids
    await eventually(lambda: _value(any(map(is_running, pids))), lambda value: not value)


async def test_a_call_costs_little(pool: Pool) -> None:
    times = []
    for _ in range(300):
        started = time.perf_counter()
        await pool.run(echo, None, deadline_seconds=PATIENCE_SECONDS)
        times.append(time.perf_counter() - started)

    assert min(times) < 0.002  # others are slow beside other work


def test_the_limits_of_this_process_are_untouched() -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


async def _value(value: Any) -> Any:
    return value


class Barrier:
    """A gate that a test opens and shuts."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    @property
    def may_grow(self) -> bool:
        return self.opened.is_set()

    async def wait(self) -> None:
        await self.opened.wait()


async def test_a_call_at_a_shut_gate_takes_no_slot_from_others(pool: Pool) -> None:
    gate = Barrier()
    gated = AccountRunner(pool, "a", gate)
    waiting = [
        asyncio.create_task(gated.run(echo, n, deadline_seconds=PATIENCE_SECONDS)) for n in range(8)
    ]

    assert await pool.run(echo, "free", deadline_seconds=PATIENCE_SECONDS) == "free"
    assert not any(task.done() for task in waiting)
    gate.opened.set()

    assert await asyncio.gather(*waiting) == list(range(8))


async def test_a_call_whose_gate_has_shut_before_its_turn_waits_again(pool: Pool) -> None:
    gate = Barrier()
    gate.opened.set()
    sleeping = AccountRunner(pool, "a")
    busy = [
        asyncio.create_task(sleeping.run(time.sleep, 0.2, deadline_seconds=PATIENCE_SECONDS))
        for _ in range(8)
    ]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(
        AccountRunner(pool, "a", gate).run(echo, 1, deadline_seconds=PATIENCE_SECONDS)
    )
    await asyncio.sleep(0)
    gate.opened.clear()

    await asyncio.gather(*busy)
    assert await pool.run(echo, "free", deadline_seconds=PATIENCE_SECONDS) == "free"
    assert not waiting.done()
    gate.opened.set()

    assert await waiting == 1
