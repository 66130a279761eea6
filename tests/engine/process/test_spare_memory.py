"""Return of freed memory to the system, checked in a child process."""

import subprocess
import sys

PROGRAM = """
import asyncio
from engine.process import spare_memory
from engine.process.spare_memory import resident_bytes
spare_memory.CHECK_SECONDS = 0.05

async def main():
    watching = asyncio.create_task(spare_memory.trim_periodically())
    await asyncio.sleep(0.01)
    before = resident_bytes()
    pieces = [bytes(100_000) for _ in range(1_500)]
    kept = pieces[-1:]  # at the upper end: all below it stays with the C library
    grown = resident_bytes() - before
    del pieces
    for _ in range(200):
        await asyncio.sleep(0.05)
        if resident_bytes() - before < grown / 5:
            break
    print(grown, resident_bytes() - before, not watching.done())

asyncio.run(main())
"""


def test_a_process_that_has_freed_much_takes_no_more_memory_than_before() -> None:
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60
    )
    grown, left, goes_on = made.stdout.split()

    assert int(grown) > 100_000_000
    assert int(left) < 30_000_000
    assert goes_on == "True"
