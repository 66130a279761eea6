import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack import supervisor as module
from deploy.stack.console import Console
from deploy.stack.supervisor import Part, PartRunner, Supervisor
from tests.support.eventually import PATIENCE_SECONDS, eventually

STEADY = "import time; print('here', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STEADY


def part(name: str, code: str, *, stage: int = 0, arguments: tuple[str, ...] = ()) -> Part:
    return Part(name=name, command=(sys.executable, "-c", code, *arguments), stage=stage)


@asynccontextmanager
async def supervised(
    *parts: Part, grace_seconds: float = 5
) -> AsyncIterator[tuple[Supervisor, list[PartRunner], io.StringIO]]:
    written = io.StringIO()
    console = Console(written)
    supervisor = Supervisor(console, grace_seconds=grace_seconds)
    runners = [supervisor.start(one) for one in parts]
    try:
        yield supervisor, runners, written
    finally:
        supervisor.kill()
        await supervisor.stop()
        console.close()


async def pid_of(runner: PartRunner) -> int:
    async def read() -> int | None:
        return runner.pid

    pid = await eventually(read)
    assert pid is not None
    return pid


async def wait_for_text(written: io.StringIO, text: str) -> str:
    async def read() -> str:
        return written.getvalue()

    return await eventually(read, lambda observed: text in observed)


async def gone(pid: int) -> None:
    async def read() -> bool:
        return not is_alive(pid)

    await eventually(read)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it ends while it is read
        return False


async def test_output_is_passed_on_under_the_name_of_the_part() -> None:
    async with supervised(part("worker.1", STEADY)) as (_, _, written):
        assert "worker.1   | here\n" in await wait_for_text(written, "here")


async def test_a_part_that_dies_is_started_again() -> None:
    async with supervised(part("worker", STEADY)) as (_, (runner,), written):
        first = await pid_of(runner)
        await wait_for_text(written, "here")
        os.kill(first, signal.SIGKILL)

        await wait_for_text(written, "ended with -9; starts again in 0.2 s")
        assert await pid_of(runner) != first


async def test_the_pauses_before_a_restart_double() -> None:
    async with supervised(part("worker", "raise SystemExit(3)")) as (_, (runner,), written):
        observed = await wait_for_text(written, "again in 0.8 s")

    assert "ended with 3; starts again in 0.2 s" in observed
    assert "ended with 3; starts again in 0.4 s" in observed
    assert runner.deaths >= 3


async def test_the_pauses_before_a_restart_grow_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_PAUSE_SECONDS", 0.3)
    async with supervised(part("worker", "raise SystemExit(3)")) as (_, (runner,), written):
        await eventually_dies(runner, 4)

    pauses = re.findall(r"again in (\S+) s", written.getvalue())
    assert pauses[:3] == ["0.2", "0.3", "0.3"]


async def eventually_dies(runner: PartRunner, times: int) -> None:
    async def deaths() -> int:
        return runner.deaths

    await eventually(deaths, lambda count: count >= times)


async def test_a_part_that_lived_long_is_restarted_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.0)
    async with supervised(part("worker", "pass")) as (_, (runner,), written):
        await eventually_dies(runner, 3)

    assert "again in 0.4 s" not in written.getvalue()


async def test_a_program_that_cannot_be_started_is_tried_again() -> None:
    missing = Part(name="worker", command=("/nowhere/at-all",), stage=0)
    async with supervised(missing) as (_, _, written):
        await wait_for_text(written, "starts again in 0.4 s")


async def test_stages_stop_in_order(tmp_path: Path) -> None:
    log = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(0.1)\n"
        f"    open({str(log)!r}, 'a').write(sys.argv[1])\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', sys.argv[1], flush=True)\n"
        "time.sleep(600)\n"
    )
    parts = [
        part("redis", code, stage=2, arguments=("r",)),
        part("gateway", code, stage=0, arguments=("g",)),
        part("worker", code, stage=1, arguments=("w",)),
    ]
    async with supervised(*parts) as (supervisor, _, written):
        for letter in "rgw":
            await wait_for_text(written, f"up {letter}")

        await supervisor.stop()

    assert log.read_text() == "gwr"


async def test_a_part_that_ignores_the_signal_is_killed_after_the_grace() -> None:
    async with supervised(part("worker", STUBBORN), grace_seconds=0.2) as run:
        supervisor, (runner,), written = run
        pid = await pid_of(runner)
        await wait_for_text(written, "here")

        await supervisor.stop()

        assert not is_alive(pid)


async def test_what_a_part_started_goes_with_it() -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('child', child.pid, flush=True)\n"
        "raise SystemExit\n"
    )
    async with supervised(part("worker", code)) as (_, _, written):
        observed = await wait_for_text(written, "ended with 0")

    await gone(int(observed.split("child ")[1].split()[0]))


async def test_a_part_told_to_stop_during_its_pause_does_not_come_back() -> None:
    async with supervised(part("worker", "pass")) as (supervisor, (runner,), written):
        await wait_for_text(written, "starts again")

        await asyncio.wait_for(supervisor.stop(), PATIENCE_SECONDS)

        assert runner.pid is None


async def test_children_end_with_a_supervisor_that_is_killed() -> None:
    code = (
        "import asyncio, sys\n"
        "from deploy.stack.console import Console\n"
        "from deploy.stack.supervisor import Part, Supervisor\n"
        "async def main():\n"
        "    supervisor = Supervisor(Console(), grace_seconds=5)\n"
        f"    command = (sys.executable, '-c', {STUBBORN!r})\n"
        "    keeper = supervisor.start(Part(name='worker', command=command, stage=0))\n"
        "    while keeper.pid is None:\n"
        "        await asyncio.sleep(0.01)\n"
        "    print(keeper.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        child = int(process.stdout.readline())
        assert b"here" in process.stderr.readline()

        process.kill()

    await gone(child)


async def test_a_death_is_reported_with_the_process_id_before_the_next_start() -> None:
    dead: list[int] = []

    async def on_death(pid: int) -> None:
        dead.append(pid)

    async with supervised(replace(part("one", STEADY), on_death=on_death)) as (
        _,
        [runner],
        _written,
    ):
        pid = await pid_of(runner)
        os.kill(pid, signal.SIGKILL)
        await gone(pid)

        async def read() -> list[int]:
            return dead

        assert await eventually(read) == [pid]


async def test_lines_that_a_part_omits_do_not_reach_the_console() -> None:
    lines = "print('one'); print('WARNING two'); print('three', flush=True)"
    talking = replace(part("a", f"{lines}; {STEADY}"), omit=lambda line: "WARNING" in line)

    async with supervised(talking) as (_, _, written):
        observed = await wait_for_text(written, "here")

    assert observed == "a          | one\na          | three\na          | here\n"
